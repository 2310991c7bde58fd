'use strict'
// Chance that is the same for the same seed and place: the world of a seed is one world.

/** A number in [0, 1) of a seed and any whole numbers. */
function chance (seed, ...places) {
  let hash = seed | 0
  for (const place of places) {
    hash = Math.imul(hash ^ (place | 0), 0x9e3779b1)
    hash ^= hash >>> 15
    hash = Math.imul(hash, 0x85ebca6b)
    hash ^= hash >>> 13
  }
  return (hash >>> 0) / 4294967296
}

/** Smooth hills: a number in [0, 1) that changes slowly over `scale` blocks. */
function hills (seed, x, z, scale) {
  const [cellX, cellZ] = [Math.floor(x / scale), Math.floor(z / scale)]
  const ease = t => t * t * (3 - 2 * t)
  const [u, v] = [ease(x / scale - cellX), ease(z / scale - cellZ)]
  const corner = (dx, dz) => chance(seed, 7, cellX + dx, cellZ + dz)
  const near = corner(0, 0) * (1 - u) + corner(1, 0) * u
  const far = corner(0, 1) * (1 - u) + corner(1, 1) * u
  return near * (1 - v) + far * v
}

module.exports = { chance, hills }
