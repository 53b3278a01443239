-- Strings that are built, joined, split, matched, packed and counted.
local n = tonumber((...))

local words, parts = {}, {"ka", "lo", "mi", "nu", "re", "sa", "te", "vo"}
local state = 42
local function random(below)
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return (state >> 8) % below + 1
end

for i = 1, n do
  local word = ""
  for _ = 1, random(4) do word = word .. parts[random(#parts)] end
  words[i] = word
end
local text = table.concat(words, " ")
print(#text, text:sub(1, 60))

local counts, order = {}, {}
for word in text:gmatch("%a+") do
  if not counts[word] then order[#order + 1] = word end
  counts[word] = (counts[word] or 0) + 1
end
table.sort(order, function(a, b)
  if counts[a] ~= counts[b] then return counts[a] > counts[b] end
  return a < b
end)
for i = 1, math.min(10, #order) do print(order[i], counts[order[i]]) end

local changed, times = text:gsub("(%a)(%a)%f[%A]", "%2%1"):upper():reverse()
print(#changed, changed:sub(-40))
print(select(2, text:gsub("ka(%a-)ka", function(inner) return #inner > 2 and inner or nil end)))

local buffer = {}
for i = 1, n do
  buffer[#buffer + 1] = ("%05d:%-8s|%6.2f|%x|%q"):format(i, words[i]:sub(1, 8), i / 7, i * 2654435761, words[i])
end
local joined = table.concat(buffer, "\n")
local hash = 0xcbf29ce484222325
for i = 1, #joined do hash = (hash ~ joined:byte(i)) * 0x100000001b3 end
print(#joined, ("%016x"):format(hash))

local packed = {}
for i = 1, n do packed[i] = string.pack("<i2 s1 d >I4", i % 30000 - 15000, words[i], i / 3, i) end
local all, at, sum = table.concat(packed), 1, 0.0
while at <= #all do
  local small, word, number, large
  small, word, number, large, at = string.unpack("<i2 s1 d >I4", all, at)
  sum = sum + small + #word + number + large
end
print(#all, sum)
