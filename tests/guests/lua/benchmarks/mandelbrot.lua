-- The Mandelbrot set as letters, and a checksum of how long each point takes to leave.
local size = tonumber((...))
local limit, checksum = 50, 0

for y = 0, size - 1 do
  local line = {}
  for x = 0, size - 1 do
    local cr, ci = 2.0 * x / size - 1.5, 2.0 * y / size - 1.0
    local zr, zi, step = 0.0, 0.0, 0
    while step < limit and zr * zr + zi * zi <= 4.0 do
      zr, zi, step = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci, step + 1
    end
    checksum = (checksum * 31 + step) & 0xffffffff
    if x % 8 == 0 then line[#line + 1] = step == limit and "#" or string.char(97 + step % 26) end
  end
  if y % 16 == 0 then print(table.concat(line)) end
end
print(("%08x"):format(checksum))
