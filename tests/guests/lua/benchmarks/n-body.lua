-- Bodies under gravity: a step is a kick by all pairs, then a drift. Prints the energy, which should hardly change.
local steps = tonumber((...))

-- A heavy body in the middle; the others go round it, each further out.
local bodies = {{x = 0.0, y = 0.0, z = 0.0, vx = 0.0, vy = 0.0, vz = 0.0, mass = 40.0}}
for i = 1, 4 do
  local speed = math.sqrt(40.0 / (3 * i))
  bodies[i + 1] = {x = 3.0 * i, y = 0.0, z = 0.1 * i, vx = 0.0, vy = speed, vz = 0.01 * i, mass = 0.01 * i}
end

local function energy()
  local sum = 0.0
  for i, a in ipairs(bodies) do
    sum = sum + 0.5 * a.mass * (a.vx ^ 2 + a.vy ^ 2 + a.vz ^ 2)
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      sum = sum - a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return sum
end

local function advance(dt)
  for i, a in ipairs(bodies) do
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      local square = dx * dx + dy * dy + dz * dz
      local force = dt / (square * math.sqrt(square))
      a.vx, a.vy, a.vz = a.vx - dx * b.mass * force, a.vy - dy * b.mass * force, a.vz - dz * b.mass * force
      b.vx, b.vy, b.vz = b.vx + dx * a.mass * force, b.vy + dy * a.mass * force, b.vz + dz * a.mass * force
    end
  end
  for _, a in ipairs(bodies) do
    a.x, a.y, a.z = a.x + dt * a.vx, a.y + dt * a.vy, a.z + dt * a.vz
  end
end

print(("%.9f"):format(energy()))
for _ = 1, steps do advance(0.001) end
print(("%.9f"):format(energy()))
