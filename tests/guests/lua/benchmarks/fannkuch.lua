-- The most flips of the first n cards that any permutation of n cards needs, and a checksum over all permutations.
local n = tonumber((...))

local function flips(cards, scratch)
  local count = 0
  table.move(cards, 1, n, 1, scratch)
  while scratch[1] ~= 1 do
    local low, high = 1, scratch[1]
    while low < high do
      scratch[low], scratch[high] = scratch[high], scratch[low]
      low, high = low + 1, high - 1
    end
    count = count + 1
  end
  return count
end

-- Heap's algorithm: each permutation differs from the one before by one exchange.
local function permutations(visit)
  local cards, counters = {}, {}
  for i = 1, n do cards[i], counters[i] = i, 1 end
  visit(cards)
  local i = 2
  while i <= n do
    if counters[i] < i then
      local other = i % 2 == 1 and 1 or counters[i]
      cards[other], cards[i] = cards[i], cards[other]
      visit(cards)
      counters[i] = counters[i] + 1
      i = 2
    else
      counters[i] = 1
      i = i + 1
    end
  end
end

local most, checksum, sign, scratch = 0, 0, 1, {}
permutations(function(cards)
  local count = flips(cards, scratch)
  most = math.max(most, count)
  checksum = checksum + sign * count
  sign = -sign
end)
print(("fannkuch(%d): most flips %d, checksum %d"):format(n, most, checksum))
