'use strict'
// Her surroundings from above, as a page for an OBS browser source: GET /map, with /map.js and /map.json.
// Looked at only when the page asks, once a second.

const { readFileSync } = require('fs')
const { join } = require('path')
const { away, foes, inventory, players } = require('./state')

const REACH = 20 // blocks to each side
const ABOVE = 12 // that are looked at under an open sky; under a roof, none above her head
const BELOW = 24
const AIR = new Set(['air', 'cave_air', 'void_air', 'grass', 'tall_grass', 'fern', 'dandelion', 'poppy'])
const FILES = { '/map': ['map.html', 'text/html; charset=utf-8'], '/map.js': ['map.js', 'text/javascript'] }
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'"

/** The top block of every column around her, row by row from the north-west: names, and heights against hers. */
function ground (bot) {
  const { x, y, z } = bot.entity.position.floored()
  const at = bot.entity.position.floored() // one Vec3 for all: ten thousand looks a second
  const name = (dx, height, dz) => {
    at.set(x + dx, height, z + dz)
    return bot.registry.blocksByStateId[bot.world.getBlockStateId(at)]?.name ?? 'air'
  }
  let roof = false
  for (let up = 2; up <= ABOVE && !roof; up++) roof = !AIR.has(name(0, y + up, 0))
  const top = y + (roof ? 1 : ABOVE)
  const names = []; const rows = []
  for (let dz = -REACH; dz <= REACH; dz++) {
    for (let dx = -REACH; dx <= REACH; dx++) {
      let height = top
      while (height > y - BELOW && AIR.has(name(dx, height, dz))) height--
      const found = name(dx, height, dz)
      if (!names.includes(found)) names.push(found)
      rows.push([names.indexOf(found), height - y])
    }
  }
  return { names, rows }
}

/** What the page draws; places are blocks from her, east and south. */
function drawn (bot, doing) {
  if (!bot?.entity) return { there: false }
  const from = each => [each.position.x - bot.entity.position.x, each.position.z - bot.entity.position.z].map(Math.round)
  const near = Object.values(bot.entities).filter(each => each !== bot.entity && each.position && away(bot, each) <= REACH)
  const [enemies, people] = [foes(bot, REACH), players(bot).map(each => each.entity)]
  const kind = each => enemies.includes(each) ? 'foe' : people.includes(each) ? 'player' : each.name === 'item' ? 'item' : 'animal'
  return {
    there: true,
    reach: REACH,
    ...ground(bot),
    things: near.map(each => [kind(each), ...from(each)]),
    yaw: bot.entity.yaw,
    health: Math.round(bot.health ?? 20),
    food: Math.round(bot.food ?? 20),
    day: bot.time.isDay !== false,
    has: Object.entries(inventory(bot)).sort((a, b) => b[1] - a[1]).slice(0, 12),
    doing
  }
}

/** Whether a request is about the map. */
function about (request) {
  const path = request.url.split('?')[0]
  return path === '/map.json' || FILES[path] !== undefined
}

/** Answers what is about the map. */
function answer (request, response, bot, doing) {
  const path = request.url.split('?')[0]
  const send = (status, type, body) => response.writeHead(status, {
    'content-type': type, 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store'
  }).end(body)
  if (FILES[path]) send(200, FILES[path][1], readFileSync(join(__dirname, '../page', FILES[path][0])))
  else send(200, 'application/json', JSON.stringify(drawn(bot, doing)))
}

module.exports = { about, answer }
