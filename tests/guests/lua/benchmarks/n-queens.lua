-- All ways to put n queens on a board so that none attacks another: with coroutines, and with bits.
local n = tonumber((...))

local function solutions()
  local columns, rising, falling, row_of = {}, {}, {}, {}
  local function place(row)
    if row > n then
      coroutine.yield(row_of)
      return
    end
    for column = 1, n do
      local up, down = row + column, row - column + n
      if not (columns[column] or rising[up] or falling[down]) then
        columns[column], rising[up], falling[down], row_of[row] = true, true, true, column
        place(row + 1)
        columns[column], rising[up], falling[down] = nil, nil, nil
      end
    end
  end
  return coroutine.wrap(function() place(1) end)
end

local function count(row, columns, rising, falling)
  if row == n then return 1 end
  local free, found = ~(columns | rising | falling) & ((1 << n) - 1), 0
  while free ~= 0 do
    local bit = free & -free
    free = free ~ bit
    found = found + count(row + 1, columns | bit, (rising | bit) << 1, (falling | bit) >> 1)
  end
  return found
end

local found, first = 0, nil
for board in solutions() do
  found = found + 1
  first = first or table.concat(board, " ")
end
print(n, found, first)
print(n, count(0, 0, 0, 0))
