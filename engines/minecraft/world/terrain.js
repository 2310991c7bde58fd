'use strict'
// The ground of a seed: hills of grass over stone, trees, boulders, ores and ponds. flying-squid's own worlds
// have no trees. It is called with a chunk's place and returns the chunk.

const { Vec3 } = require('vec3')
const { chance, hills } = require('./noise')

const FLOOR = 50 // bedrock
const LOW = 62 // the lowest ground
const RISE = 7 // of the highest over it
const CAMP = [12, 3] // in the first chunk
const BED = { foot: 7, head: 6 } // states of one that lies to the south
const SKY = 100 // light is stored up to here

module.exports = ({ registry, seed }) => {
  const Chunk = require('prismarine-chunk')(registry)
  const state = name => registry.blocksByName[name].defaultState
  const ground = (x, z) => LOW + Math.floor(RISE * hills(seed, x, z, 28))

  function column (chunk, x, z, chunkX, chunkZ) {
    const top = ground(chunkX * 16 + x, chunkZ * 16 + z)
    const put = (y, name) => chunk.setBlockStateId(new Vec3(x, y, z), state(name))
    put(FLOOR, 'bedrock')
    for (let y = FLOOR + 1; y < top - 3; y++) put(y, rock(chunkX * 16 + x, y, chunkZ * 16 + z))
    for (let y = top - 3; y < top; y++) put(y, 'dirt')
    put(top, 'grass_block')
    for (let y = top; y < SKY; y++) chunk.setSkyLight(new Vec3(x, y, z), 15)
    for (let y = FLOOR; y < SKY; y += 4) chunk.setBiome(new Vec3(x, y, z), registry.biomesByName.plains.id)
  }

  function rock (x, y, z) {
    const vein = chance(seed, 11, x >> 1, y >> 1, z >> 1)
    return vein < 0.02 ? 'iron_ore' : vein < 0.06 ? 'coal_ore' : 'stone'
  }

  /** A place at least `margin` from the chunk's edge, with its ground. */
  function spot (kind, chunkX, chunkZ, margin) {
    const along = turn => margin + Math.floor((16 - 2 * margin) * chance(seed, kind, turn, chunkX, chunkZ))
    const [x, z] = [along(1), along(2)]
    return { x, z, y: ground(chunkX * 16 + x, chunkZ * 16 + z) }
  }

  function tree (chunk, chunkX, chunkZ, kind) {
    const { x, y, z } = spot(kind, chunkX, chunkZ, 3)
    const at = (dx, dy, dz) => new Vec3(x + dx, y + dy, z + dz)
    if (chunk.getBlock(at(0, 0, 0)).name !== 'grass_block' || chunk.getBlock(at(0, 1, 0)).name !== 'air') return
    const tall = 4 + Math.floor(2 * chance(seed, kind + 3, chunkX, chunkZ))
    for (let dy = tall - 2; dy <= tall + 1; dy++) {
      const reach = dy < tall ? 2 : 1
      for (let dx = -reach; dx <= reach; dx++) {
        for (let dz = -reach; dz <= reach; dz++) {
          if (chunk.getBlock(at(dx, dy, dz)).name === 'air') chunk.setBlockStateId(at(dx, dy, dz), state('oak_leaves'))
        }
      }
    }
    for (let dy = 1; dy <= tall; dy++) chunk.setBlockStateId(at(0, dy, 0), state('oak_log'))
  }

  function boulder (chunk, chunkX, chunkZ) {
    const { x, y, z } = spot(40, chunkX, chunkZ, 4)
    for (let dx = -2; dx <= 2; dx++) {
      for (let dy = -1; dy <= 2; dy++) {
        for (let dz = -2; dz <= 2; dz++) {
          if (dx * dx + dy * dy + dz * dz > 6) continue
          chunk.setBlockStateId(new Vec3(x + dx, y + dy, z + dz), state('stone'))
        }
      }
    }
  }

  function pond (chunk, chunkX, chunkZ) {
    const { x, y, z } = spot(50, chunkX, chunkZ, 5)
    for (let dx = -3; dx <= 3; dx++) {
      for (let dz = -3; dz <= 3; dz++) {
        const shore = Math.max(Math.abs(dx), Math.abs(dz)) === 3
        for (let dy = 1; dy < 9; dy++) chunk.setBlockStateId(new Vec3(x + dx, y + dy, z + dz), state('air'))
        for (let dy = 0; dy > -3; dy--) {
          chunk.setBlockStateId(new Vec3(x + dx, y + dy, z + dz), state(shore || dy === -2 ? 'grass_block' : 'water'))
        }
      }
    }
  }

  /** Where she begins: a bed and a chest, on one level. */
  function camp (chunk) {
    const [x, z] = CAMP
    const y = Math.max(...[0, 1, 2].map(along => ground(x, z + along))) + 1
    const bed = registry.blocksByName.white_bed
    const half = part => bed.minStateId + BED[part]
    for (const along of [0, 1, 2]) for (let dy = y - 3; dy < y; dy++) chunk.setBlockStateId(new Vec3(x, dy, z + along), state('dirt'))
    chunk.setBlockStateId(new Vec3(x, y, z), half('foot'))
    chunk.setBlockStateId(new Vec3(x, y, z + 1), half('head'))
    chunk.setBlockStateId(new Vec3(x, y, z + 2), state('chest'))
  }

  return (chunkX, chunkZ) => {
    const chunk = new Chunk()
    for (let x = 0; x < 16; x++) for (let z = 0; z < 16; z++) column(chunk, x, z, chunkX, chunkZ)
    const home = chunkX === 0 && chunkZ === 0
    if (home) camp(chunk)
    const luck = chance(seed, 60, chunkX, chunkZ)
    if (!home && luck < 0.12) pond(chunk, chunkX, chunkZ)
    else if (!home && luck < 0.5) boulder(chunk, chunkX, chunkZ)
    if (!home && chance(seed, 61, chunkX, chunkZ) < 0.7) tree(chunk, chunkX, chunkZ, 20)
    if (!home && chance(seed, 62, chunkX, chunkZ) < 0.4) tree(chunk, chunkX, chunkZ, 30)
    return chunk
  }
}
