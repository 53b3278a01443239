-- Strings: formats of integers and floats, patterns, packing, utf8.
local function show(...) print(select('#', ...), ...) end

for _, x in ipairs { 0.0, 1, 0.1, 1 / 3, 2 / 3, 1e15, 1e16, 123456789.123, 1e-5, 1e-4, 5e-324, 2.5, 3.5,
    1e100, 1.7976931348623157e308, 0.5, 1e21, 123456, 1234567, 99999.95, 999999.5, -0.0, -1e-7 } do
  print(string.format('%g %.14g %5.1f %.3e %10.4f|%-12.6g|%+.0f|%#.3g', x, x, x, x, x, x, x, x))
  print(string.format('%.17g %.0e %020.5f % g %.40f', x, x, x, x, x % 1000))
end
print(string.format('%5d|%-5d|%05d|%+d|%x|%X|%o|%#x|%c|%10s|%-10s|%.2s', 42, 42, 42, 42, 255, 255, 8, 255, 65, 'hi', 'hi', 'hello'))
print(string.format('%q', 'a\nb\0c"\\\r\t\200'), string.format('%q', 1 // 1), string.format('%i', -7))
print(math.huge, -math.huge, 1e15, 1e14, 2^53, 2^63, 10 // 3, 10.0 / 3, -7 // 2, -7 % 3, 7 % -3, -7.5 // 2, 5.5 % -2)
print(1e308 * 10, -1e308 * 10, 3 | 4, ~0, 1 << 63, 1 << 64, -1 >> 1, 0x7fffffffffffffff + 1)
print(math.maxinteger, math.mininteger, math.mininteger // -1, math.mininteger % -1, math.tointeger(3.0), 3 == 3.0)
print(tostring(1e15), tostring(-1e15), tostring(123456789012345678), 0xffffffffffffffff, 0x1p4, 1e2, .5)
show(tonumber('0x1p-2'), tonumber('  12  '), tonumber('1e'), tonumber('z', 36), tonumber('7fffffffffffffff', 16), tonumber('1e500'))
show(math.type(1), math.type(1.0), math.type('1'), '10' + 5, '0x10' * 2, '3.0' + 1, 10 .. 20)
show(pcall(function() return 1 // 0 end))
show(pcall(function() return 1 % 0 end))
show(1 // 0.0, -1 // 0.0, 1 % math.huge, -1 % math.huge, math.fmod(-6, 4), math.fmod(6, -4))
show(math.ult(1, -1), math.abs(math.mininteger), math.floor(-3.7), math.ceil(-3.7), math.floor(1e300))

show(('hello world'):find('o w'), ('hello'):find('l+'), ('x=1, y=2'):gsub('(%w)=(%w)', '%2=%1'))
show(('  trim  '):match('^%s*(.-)%s*$'), ('key = value'):match('^(%w+)%s*=%s*(%w+)$'), ('f(a(b)c)d'):match('%b()'))
show(('THE (quick) fox'):find('%((%a+)%)'), ('abc'):byte(1, -1), string.char(72, 105), ('abc'):rep(3, '-'))
show(('a,b,,c'):gsub(',', ';', 2), ('hello'):upper():lower():reverse():len(), ('%d'):gsub('%%d', '%%s'))
for k, v in ('a=1, b=22, c=333'):gmatch('(%w+)=(%w+)') do io.write(k, ':', v, ' ') end print()
for w in ('one two  three'):gmatch('%f[%w]%w+') do io.write('[', w, ']') end print()
show(('abc'):sub(-2), ('abc'):sub(2, 10), ('abc'):sub(0), ('abc'):sub(5), #('x'):rep(1000000), ('x'):rep(0))
local long = ('0123456789'):rep(100000)
show(#long, long:sub(499999, 500003), select(2, long:gsub('9', '')), long:find('90', 999000, true))
show(table.concat({ 1, 2.5, 'x' }, ', '), table.concat({}, 'x'), table.concat({ 1, 2, 3 }, '-', 2, 3))
local pieces = {}
for i = 1, 20000 do pieces[i] = i * 7 % 13 end
show(#table.concat(pieces), table.concat(pieces):sub(-20))

show(utf8.char(72, 228, 8364, 128512), utf8.len('häß€😀'), utf8.codepoint('€', 1), #utf8.char(0x7fffffff), utf8.offset('aä€', 3))
for p, c in utf8.codes('aä€😀') do io.write(p, '=', string.format('U+%04X', c), ' ') end print()
show(utf8.len('\xff'), pcall(utf8.codepoint, '\xff'))
show(string.unpack('<i4>I2z', string.pack('<i4>I2z', -2, 513, 'str')))
show(string.pack('>d', 1.5):byte(1, -1))
show(string.unpack('<f', string.pack('<f', 0.1)), string.packsize('i8i4d'), string.pack('<j', -1):byte(1, -1))
show(('x'):rep(3):gsub('', '-'), ('abc'):gsub('%w', { a = '1', c = false }))
show(pcall(string.rep, 'x', -1), pcall(string.format, '%d', 1.5), pcall(string.format, '%y', 1))
show(pcall(string.rep, 'abc', 1 << 62))
show('a' < 'b', 'a' < 'B', 'Z' < 'a', '' < 'a', 'a\0b' < 'a\0c', 'abc' == 'ab' .. 'c')
