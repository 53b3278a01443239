-- Tables and arithmetic: sorting, sieves, queens, matrices, big numbers, hashing, floats.
local function show(...) print(select('#', ...), ...) end

local state = 42
local function random(n) state = (state * 1103515245 + 12345) % 2147483648 return state % n end

local t = {}
for i = 1, 5000 do t[i] = random(100000) end
table.sort(t)
for i = 2, #t do assert(t[i - 1] <= t[i]) end
show(t[1], t[2500], t[5000])
table.sort(t, function(a, b) return a > b end)
show(t[1], t[5000])
local words = {}
for w in ('the quick brown fox jumps over the lazy dog'):gmatch('%a+') do words[#words + 1] = w end
table.sort(words, function(a, b) if #a ~= #b then return #a < #b end return a < b end)
show(table.unpack(words))
show(pcall(table.sort, { 3, 1, 'x', 2 }))
show(pcall(table.sort, { 5, 3, 4, 1, 2, 9, 8, 7 }, function() return true end) ~= nil)

local q = {}
for i = 1, 10 do table.insert(q, i) end
table.insert(q, 1, 'first') table.insert(q, 5, 'fifth')
show(table.remove(q), table.remove(q, 1), table.remove(q, 4), #q, table.concat(q, ' '))
show(table.concat(table.move({ 1, 2, 3, 4, 5 }, 2, 4, 1), ','), select(-1, table.unpack({ 1, 2, 3 }, 1, 5)))
show(table.pack(1, nil, 3).n, next({}), #{ 1, 2, 3, nil }, #{ n = 1 })
show(pcall(table.insert, { 1, 2 }, 9, 'x'), pcall(table.concat, { {} }), pcall(next, {}, 'none'))
show(pcall(table.unpack, {}, 1, 1e7))

local sparse = {}
for i = 1, 1000 do sparse[i * i] = i end
local n, total = 0, 0
for k, v in pairs(sparse) do n = n + 1 total = total + k * v end
show(n, total)
for i = 1, 1000 do sparse[i * i] = nil end
show(next(sparse))
local keys = { [1] = 'a', [1.0] = 'b', [1.5] = 'c', [true] = 'd', ['1'] = 'e', [2^53] = 'f' }
show(keys[1], keys[1.5], keys[true], keys['1'], keys[2^53 | 0])
show(pcall(function() keys[nil] = 1 end), pcall(function() keys[0 / 0] = 1 end))
local count = {}
for i = 1, 20000 do local k = 'k' .. random(300) count[k] = (count[k] or 0) + 1 end
local names = {} for k in pairs(count) do names[#names + 1] = k end
table.sort(names)
show(#names, names[1], count[names[1]], names[#names], count[names[#names]])

local sieve, primes = {}, 0
for i = 2, 30000 do
  if not sieve[i] then primes = primes + 1 for j = i * i, 30000, i do sieve[j] = true end end
end
show('primes', primes)
local function fib(k) if k < 2 then return k end return fib(k - 1) + fib(k - 2) end
show('fib', fib(22))
local solutions = 0
local function queens(row, columns, up, down)
  if row > 6 then solutions = solutions + 1 return end
  for c = 1, 6 do
    if not (columns[c] or up[row + c] or down[row - c]) then
      columns[c], up[row + c], down[row - c] = true, true, true
      queens(row + 1, columns, up, down)
      columns[c], up[row + c], down[row - c] = nil, nil, nil
    end
  end
end
queens(1, {}, {}, {})
show('queens', solutions)
local function factorial(k)
  local digits = { 1 }
  for i = 2, k do
    local carry = 0
    for d = 1, #digits do local v = digits[d] * i + carry digits[d] = v % 10 carry = v // 10 end
    while carry > 0 do digits[#digits + 1] = carry % 10 carry = carry // 10 end
  end
  return table.concat(digits):reverse()
end
show(factorial(100))
local function multiply(a, b)
  local c = {}
  for i = 1, #a do c[i] = {} for j = 1, #b[1] do local s = 0 for k = 1, #b do s = s + a[i][k] * b[k][j] end c[i][j] = s end end
  return c
end
local m = {}
for i = 1, 20 do m[i] = {} for j = 1, 20 do m[i][j] = 1 / (i + j - 1) end end
local p = multiply(multiply(m, m), m)
print(string.format('%.12g %.12g %.12g', p[1][1], p[10][10], p[20][20]))
local hash = 5381
for i = 1, 10000 do hash = (hash * 33) ~ random(256) end
show('hash', hash, hash >> 32, hash & 0xffffffff)
local crc = 0xffffffff
for i = 1, 1000 do
  crc = crc ~ (i & 255)
  for _ = 1, 8 do crc = (crc >> 1) ~ (0xedb88320 & -(crc & 1)) end
end
print(string.format('%08x', ~crc & 0xffffffff))

for i = -8, 8 do
  local x = i / 4
  print(string.format('%.10g %.10g %.10g %.10g %.10g', math.sin(x), math.cos(x), math.tan(x), math.exp(x), math.atan(x, 2)))
end
for _, x in ipairs { 0.001, 0.5, 1, 2, 10, 1000, 1e10, 1e300 } do
  print(string.format('%.10g %.10g %.10g %.10g %.10g', math.sqrt(x), math.log(x), math.log(x, 2), math.log(x, 10), x ^ 0.3))
end
show(math.pi, math.fmod(7.5, 2), math.modf(3.7), math.modf(-3.7), math.max(1, 2.5, -1), math.min(3, 1.5))
show(2^10, 2^0.5, 10 // 0.3, 1e15 % 7, 5 // -2, 5.0 // -2, -5 % 3.0, 7 // 1.0, 1e300 * 1e10 == math.huge)
math.randomseed(42)
local r = {} for i = 1, 5 do r[i] = math.random(1, 1000) end
show(table.unpack(r))
show(string.format('%.14g', math.random()), math.random(0) ~= nil, pcall(math.random, 2, 1))
local sum, c = 0.0, 0.0
for i = 1, 100000 do local y = 1 / i - c local s = sum + y c = (s - sum) - y sum = s end
print(string.format('%.15g', sum))
io.write(1, ' ', 1.0, ' ', -0.0, ' ', 1e100, '\n')
io.stdout:write('from ', 'stdout', '\n')
print(io.read("n", "l", "L", 4, "a"))
os.exit(7, true)
