'use strict'
// What she can build: blocks as [right, up, ahead] of a place, from below. Pure.

const HIGH = 2 // of a wall, and of a hut's

const range = n => Array.from({ length: n }, (_, at) => at)
const cross = (...ranges) => ranges.reduce((rows, each) => rows.flatMap(row => each.map(at => [...row, at])), [[]])

const PLANS = {
  wall: size => cross(range(HIGH), range(size)).map(([up, right]) => [right, up, 0]),
  tower: size => range(size).map(up => [0, up, 0]),
  stairs: size => range(size).flatMap(ahead => range(ahead + 1).map(up => [0, up, ahead])),
  bridge: size => range(size).map(ahead => [0, -1, ahead]),
  hut: size => [...walls(size), ...cross([HIGH], range(size), range(size)).map(([up, ahead, right]) => [right, up, ahead])]
}

/** Four walls with a door in the middle of the first. */
function walls (size) {
  const edge = at => at === 0 || at === size - 1
  const door = Math.floor(size / 2)
  return cross(range(HIGH), range(size), range(size))
    .filter(([, ahead, right]) => (edge(ahead) || edge(right)) && !(ahead === 0 && right === door))
    .map(([up, ahead, right]) => [right, up, ahead])
}

/** `turn`: quarters that the plan is turned by. [x, y, z] from its first place. */
function turned ([right, up, ahead], turn) {
  const [x, z] = [[right, ahead], [-ahead, right], [-right, -ahead], [ahead, -right]][turn]
  return [x, up, z]
}

/** The blocks of a plan: [[x, y, z], ...], or undefined. */
function blocks (name, size, turn = 0) { return PLANS[name]?.(size).map(each => turned(each, turn)) }

module.exports = { PLANS, blocks }
