-- Lua's io and os libraries on the folder that is the first argument; its name is not printed.
local folder = ...
local function name(rest) return folder .. '/' .. rest end

local function shown(value)
  local text = tostring(value)
  local at, to = text:find(folder, 1, true)
  if at then text = text:sub(1, at - 1) .. 'DIR' .. text:sub(to + 1) end
  return (text:gsub('0x%x+', 'ADDRESS'):gsub('^%(nil%)$', 'ADDRESS'))
end

local function show(what, ...)
  local values = table.pack(...)
  for i = 1, values.n do values[i] = shown(values[i]) end
  print(what, table.unpack(values, 1, values.n))
end

-- Errors carry strerror's text, which is the C library's own; the number's meaning is the name of what went wrong.
local function failing(what, result, message, code)
  show(what, result, math.type(code), message ~= nil and #message > 0)
end

-- Writing and reading.
local f = assert(io.open(name('a'), 'w'))
show('write', f:write('one\n', 2, ' ', 3.5, '\n', 'three') == f)
show('seek', f:seek(), f:seek('set', 1), f:seek('cur', 2), f:seek('end'))
show('type', io.type(f), io.type(io.stdout), io.type(42))
f:close()
show('closed', io.type(f), pcall(f.write, f, 'x'))

f = assert(io.open(name('a')))
show('read', f:read('l', 'n', 'n', 'L', 'a', 'a', 'l'))
show('behind', f:read(0), f:read('n'), f:read('a'))
f:seek('set')
show('counts', f:read(2, 0, 100, 1))
f:close()

for line in io.lines(name('a')) do show('line', line) end
for a, b in io.lines(name('a'), 1, 'L') do show('pieces', a, b) end
show('no lines', pcall(io.lines, name('nothing')) == false)

f = assert(io.open(name('a'), 'a+'))
f:write('!')
f:seek('set', 2)
f:write('?')
f:seek('set')
show('appended', f:read('a'))
f:close()

f = assert(io.open(name('a'), 'r+'))
f:write('ONE')
f:seek('set')
show('updated', f:read('a'))
f:close()

f = assert(io.open(name('numbers'), 'w+'))
f:write('0x1F -7 3e2 .5 1e 12abc')
f:seek('set')
show('numbers', f:read('n', 'n', 'n', 'n', 'n'))
f:close()

for _, mode in ipairs({ 'no', 'full', 'line' }) do
  f = assert(io.open(name('buffered'), 'w'))
  show('setvbuf', mode, f:setvbuf(mode, 64))
  for i = 1, 200 do f:write(i, i % 10 == 0 and '\n' or ' ') end
  local seen = assert(io.open(name('buffered')))
  show('seen before flush', mode, mode ~= 'full' and #seen:read('a') or 'some')
  f:flush()
  seen:seek('set')
  show('seen behind flush', mode, #seen:read('a'))
  seen:close()
  f:close()
end

-- The default files.
io.output(name('default'))
io.write('by default\n', 'second\n')
io.close()
io.output(io.stdout)
io.input(name('default'))
show('default', io.read(), io.read('a'))
io.close(io.input())
io.input(io.stdin)

-- A megabyte, whose sum is known.
f = assert(io.open(name('large'), 'wb'))
local block = {}
for i = 0, 255 do block[#block + 1] = string.char(i) end
block = table.concat(block)
for _ = 1, 4096 do f:write(block) end
f:close()
f = assert(io.open(name('large'), 'rb'))
local sum, size = 0, 0
while true do
  local part = f:read(60000)
  if not part then break end
  size = size + #part
  for i = 1, #part, 997 do sum = (sum * 31 + part:byte(i)) % 1000003 end
end
show('large', size, sum, f:seek('end'))
f:close()

-- What fails.
failing('open', io.open(name('none/file')))
failing('open a directory to write', io.open(folder, 'w'))
failing('remove', os.remove(name('none')))
failing('rename', os.rename(name('none'), name('other')))
failing('read of a directory', assert(io.open(folder)):read(1))
failing('write to what is read', assert(io.open(name('a'))):write('x'))
show('mode', pcall(io.open, name('a'), 'rw'))

-- Names.
show('rename', os.rename(name('a'), name('b')), io.open(name('a')))
show('replace', os.rename(name('numbers'), name('b')), #assert(io.open(name('b'))):read('a'))
f = assert(io.open(name('b')))
show('remove', os.remove(name('b')), f:read('a'))
f:close()
for _, file in ipairs({ 'buffered', 'default', 'large' }) do show('remove', os.remove(name(file))) end

local temporary = os.tmpname()
f = assert(io.open(temporary, 'w'))
show('tmpname', f:write('x') == f, f:close(), os.remove(temporary))
f = io.tmpfile()
f:write('temporary')
f:seek('set')
show('tmpfile', f:read('a'), f:close())

-- Time: what does not depend on now.
show('date', os.date('!%Y-%m-%d %H:%M:%S %a %A %b %B %p %y %j %U %w %W %x %X %c %%', 1234567890))
show('table', os.date('!*t', 86399).hour, os.date('!*t', 951782400).yday, os.date('!*t', 0).isdst)
show('time', os.time({ year = 2001, month = 9, day = 9, hour = 1, min = 46, sec = 40 }))
show('normal', os.date('%F', os.time({ year = 2020, month = 14, day = -3, hour = 12 })))
show('difftime', os.difftime(10, 4), os.time() > 1600000000, os.clock() >= 0)
show('bad', pcall(os.date, '%Ez'), pcall(os.time, { year = 2020 }))

show('getenv', os.getenv('STUBDOM_NOT_SET'))
show('locale', os.setlocale(), os.setlocale('C'), os.setlocale('no locale'))
io.stderr:write('')
os.exit(7, true)
