-- Control: errors by longjmp, coroutines, closures, goto, recursion of Lua and of C, metamethods, collection.
local function show(...) print(select('#', ...), ...) end

show(pcall(error, 'message', 0))
show(pcall(error, { code = 7 }) == false, select(2, pcall(error, { code = 7 })).code)
show(pcall(function() local t; return t.x end))
show(pcall(function() return #5 end))
show(pcall(function() return {} .. 'x' end))
show(pcall(function() return 1 < 'x' end))
show(pcall(function() error() end))
show(select('#', pcall(error)))
show(xpcall(function() error('inner') end, function(m) return 'handled: ' .. m end))
show(xpcall(function() error('again') end, function(m) error('in the handler') end))
show(pcall(load, 'x ='))
show(load('x ='))
show(load('return 1 +'))
show(load('goto nowhere'))
show(load("x = 'unfinished"))
show(assert(load('return ...', 'chunk', 't'))(1, 2, 3))
show(pcall(assert, false, 'asserted'), pcall(assert, nil))
show(tostring(nil), tostring(true), type(print), type(nil), rawlen { 1, 2 }, rawequal('a', 'a'))

local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
show(depth(10), depth(10000), depth(150000))
local function forever(n) return 1 + forever(n + 1) end
local ok, message = pcall(forever, 1)
show(ok, #message, message:sub(1, 60))
local function tail(n) if n == 0 then return 'tail' end return tail(n - 1) end
show(tail(1000000))
local function nested(n) if n == 0 then return 'bottom' end return select(2, pcall(nested, n - 1)) end
show(nested(100), nested(180))
show(nested(250))
local function gsubs(n) return (string.gsub('x', 'x', function() return n == 0 and 'core' or gsubs(n - 1) end)) end
show(gsubs(50), gsubs(150))
show(pcall(gsubs, 1000))
local endless = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
show(pcall(function() return endless[1] end))
local sorter = {}
for i = 1, 100 do sorter[i] = i end
show(pcall(table.sort, sorter, function() error('in sort') end))
show(pcall(load, ('('):rep(300) .. '1' .. (')'):rep(300)))
show(load(('('):rep(300) .. '1' .. (')'):rep(300)))
show(load('return ' .. ('('):rep(150) .. '1' .. (')'):rep(150))())
show(load('return ' .. ('{'):rep(500) .. ('}'):rep(500)))
show(pcall(string.gsub, ('x'):rep(3000), ('x*'):rep(190), ''))
show(pcall(string.find, ('a'):rep(1000), ('(a)'):rep(40)))
show(pcall(string.match, ('a'):rep(1000), '.-b'))

local co = coroutine.create(function(a, b)
  show('start', a, b)
  local c = coroutine.yield(a + b)
  show('then', c)
  local d, e = coroutine.yield(c * 2)
  error({ d = d, e = e })
end)
show(coroutine.resume(co, 1, 2))
show(coroutine.status(co), coroutine.resume(co, 10))
local good, failure = coroutine.resume(co, 'd', 'e')
show(good, failure.d, failure.e, coroutine.status(co))
show(coroutine.resume(co))
local function numbers(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for i in numbers(10000) do sum = sum + i end
show(sum)
local function permutations(a, n)
  n = n or #a
  if n <= 1 then coroutine.yield(table.concat(a)) end
  for i = 1, n do
    a[n], a[i] = a[i], a[n]
    permutations(a, n - 1)
    a[n], a[i] = a[i], a[n]
  end
end
local all = {}
for p in coroutine.wrap(function() permutations { 'a', 'b', 'c', 'd' } end) do all[#all + 1] = p end
show(#all, table.concat(all, ' '))
local ring = {}
for i = 1, 100 do ring[i] = coroutine.wrap(function(x) while true do x = coroutine.yield(x + i) end end) end
local x = 0
for _ = 1, 50 do for i = 1, 100 do x = ring[i](x) end end
show(x)
show(coroutine.wrap(function() return pcall(function() coroutine.yield('through pcall') error('after') end) end)())
local through = coroutine.wrap(function() return pcall(function() error(coroutine.yield('out')) end) end)
show(through()) show(through('in'))
local function chain(n) if n == 0 then return 'end of chain' end return coroutine.wrap(function() return chain(n - 1) end)() end
show(chain(100))
show(pcall(chain, 300))
show(coroutine.close(coroutine.create(print)), coroutine.isyieldable(), coroutine.running() ~= nil)
do
  local log = {}
  local guarded = coroutine.create(function()
    local a <close> = setmetatable({}, { __close = function(_, e) log[#log + 1] = 'a ' .. tostring(e) end })
    local b <close> = setmetatable({}, { __close = function() log[#log + 1] = 'b' end })
    local c <const> = 5
    coroutine.yield(c)
  end)
  show(coroutine.resume(guarded)) show(coroutine.close(guarded), table.concat(log, ','))
  show(pcall(function() local z <close> = setmetatable({}, { __close = function(_, e) log[#log + 1] = e end }) error('closing', 0) end))
  show(log[#log])
end

local closures = {}
for i = 1, 3 do local n = i * 10 closures[i] = function() n = n + 1 return n end end
show(closures[1](), closures[1](), closures[2](), closures[3](), closures[1]())
for i = 1, 3 do
  for j = 1, 3 do
    if j == 2 then goto continue end
    io.write(i, ',', j, ' ')
    ::continue::
  end
end
do local i = 1 ::top:: if i <= 3 then io.write('loop', i, ' ') i = i + 1 goto top end end
print()
for i = 10, 1, -3 do io.write(i, ' ') end for i = 1.0, 2, 0.25 do io.write(i, ' ') end print()
for i = math.maxinteger - 1, math.maxinteger do io.write(i, ' ') end print()
show(pcall(function() for i = 1, 10, 0 do end end))
local i = 0 repeat local last = i i = i + 1 until last >= 5 show(i)
while true do i = i - 1 if i < 0 then break end end show(i)

local V = {}
V.__index = V
V.__add = function(a, b) return setmetatable({ a[1] + b[1] }, V) end
V.__eq = function(a, b) return a[1] == b[1] end
V.__lt = function(a, b) return a[1] < b[1] end
V.__le = function(a, b) return a[1] <= b[1] end
V.__call = function(self, n) return self[1] * n end
V.__concat = function(a, b) return 'V' .. (type(a) == 'table' and a[1] or a) .. (type(b) == 'table' and b[1] or b) end
V.__len = function() return 99 end
V.__unm = function(a) return setmetatable({ -a[1] }, V) end
V.__tostring = function(a) return 'V(' .. a[1] .. ')' end
V.__idiv = function() return 'idiv' end
V.__shl = function() return 'shl' end
V.__name = 'V'
local a, b = setmetatable({ 3 }, V), setmetatable({ 4 }, V)
show(tostring(a + b), a == b, a < b, a <= b, a(5), a .. b, 1 .. a, #a, tostring(-a), a // 1, a << 1)
local proxy = setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v * 2) end, __index = { def = 'ault' } })
proxy.x = 21 show(proxy.x, proxy.def, proxy.nothing)

local weak = setmetatable({}, { __mode = 'v' })
for n = 1, 100 do weak[n] = {} end
local finalized = 0
for _ = 1, 1000 do setmetatable({}, { __gc = function() finalized = finalized + 1 end }) end
collectgarbage() collectgarbage()
local left = 0 for _ in pairs(weak) do left = left + 1 end
show(left, finalized, collectgarbage('isrunning'))
for _, mode in ipairs { 'generational', 'incremental' } do
  collectgarbage(mode)
  local t for n = 1, 100000 do t = { n, t and t[1], tostring(n) } end
  show(mode, t[1], t[3], collectgarbage('count') < 20000)
end
