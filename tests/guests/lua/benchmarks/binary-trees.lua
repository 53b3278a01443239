-- Trees that are made, walked and left to the collector.
local depth = tonumber((...))

local function make(level)
  if level == 0 then return {} end
  return {make(level - 1), make(level - 1)}
end

local function count(tree)
  if not tree[1] then return 1 end
  return 1 + count(tree[1]) + count(tree[2])
end

local kept = make(depth)
for level = 2, depth, 2 do
  local trees, nodes = 1 << (depth - level + 2), 0
  for _ = 1, trees do nodes = nodes + count(make(level)) end
  print(("%d trees of depth %d have %d nodes"):format(trees, level, nodes))
end
print("the tree that was kept has " .. count(kept))

-- Weak tables and finalizers see the collector at work, in an order that does not depend on addresses.
local weak, closed = setmetatable({}, {__mode = "v"}), 0
for i = 1, 1000 do
  weak[i] = setmetatable({}, {__gc = function() closed = closed + 1 end})
end
collectgarbage()
collectgarbage()
print("finalizers run: " .. closed .. ", left: " .. #weak)
