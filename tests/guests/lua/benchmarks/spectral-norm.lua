-- The spectral norm of the matrix a(i, j) = 1 / ((i + j)(i + j + 1) / 2 + i + 1), by the power method.
local n = tonumber((...))

local function a(i, j) return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1) end

local function times(x)
  local result = {}
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do sum = sum + a(i, j) * x[j] end
    result[i] = sum
  end
  return result
end

local function times_transposed(x)
  local result = {}
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do sum = sum + a(j, i) * x[j] end
    result[i] = sum
  end
  return result
end

local u, v = {}, nil
for i = 0, n - 1 do u[i] = 1.0 end
for _ = 1, 10 do
  v = times_transposed(times(u))
  u = times_transposed(times(v))
end
local uv, vv = 0.0, 0.0
for i = 0, n - 1 do uv, vv = uv + u[i] * v[i], vv + v[i] * v[i] end
print(("%.17g %a"):format(math.sqrt(uv / vv), uv))
