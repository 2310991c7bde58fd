'use strict'
// What really happened, from the server's side, for exams and tests: GET /truth; and a hand to move things:
// POST /do {"what": ...}. Loopback only.

const { createServer } = require('http')
const { Vec3 } = require('vec3')
const mobs = require('./mobs')

const MOST = 20_000 // events kept

/** `chests()`: what lies in them. */
function server (serv, port, chests) {
  const events = []
  const note = (who, what, more) => {
    events.push({ at: Date.now(), who, what, ...more })
    if (events.length > MOST) events.shift()
  }
  serv.on('newPlayer', player => watch(serv, player, (what, more) => note(player.username, what, more)))
  const http = createServer(async (request, response) => {
    try {
      const done = request.method === 'POST' ? await DO(serv, JSON.parse(await body(request))) : told(serv, events, chests())
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(done ?? {}))
    } catch (error) {
      response.writeHead(400).end(String(error.message))
    }
  })
  http.listen(port, '127.0.0.1')
}

function watch (serv, player, note) {
  let last = null
  player.on('crafted', (item, count) => note('crafted', { item, count }))
  player.on('smelted', item => note('smelted', { item }))
  player.on('broke', (block, tool, dropped) => note('broke', { block, tool, dropped }))
  player.on('ate', item => note('ate', { item }))
  player.on('slept', bed => note('slept', { bed }))
  player.on('hurt', by => note('hurt', { by, health: player.health }))
  player.on('killed', mob => note('killed', { mob }))
  player.on('chat', ({ message }) => note('chat', { message }))
  player.on('attack', ({ attackedEntity }) => note('attacked', { mob: attackedEntity.name }))
  player.on('move', ({ position }) => {
    if (!last || last.distanceTo(position) > 0.05) note('moved', { x: position.x, y: position.y, z: position.z })
    last = position.clone()
  })
  player.on('disconnected', () => note('left', {}))
  const set = player.setBlock
  player.setBlock = (position, state) => { // what a player places goes this way
    note('placed', { item: serv.registry.blocksByStateId[state]?.name, x: position.x, y: position.y, z: position.z })
    return set(position, state)
  }
}

function told (serv, events, chests) {
  const players = Object.fromEntries(serv.players.map(player => [player.username, {
    position: player.position,
    yaw: player.yaw, // 256 a turn, 0 is +z, 64 is -x
    health: player.health,
    food: player.food,
    held: player.inventory.slots[36 + player.heldItemSlot]?.name ?? '',
    inventory: counted(player.inventory.slots)
  }]))
  const stored = Object.fromEntries(Object.entries(chests).map(([place, slots]) => [place, counted(slots)]))
  return { now: Date.now(), players, chests: stored, time: serv.time, events, mobs: Object.values(serv.entities).filter(e => e.type === 'mob').length }
}

function counted (slots) {
  const found = {}
  for (const item of slots) if (item) found[item.name] = (found[item.name] ?? 0) + item.count
  return found
}

async function DO (serv, { what, who, name, count = 1, health = 20, x = 0, y = 0, z = 0, at, text }) {
  const player = serv.players.find(each => each.username === who)
  const place = at ? new Vec3(at.x, at.y, at.z) : player?.position.offset(x, y, z)
  switch (what) {
    case 'give': return give(serv, player, name, count)
    case 'spawn': return { id: mobs.spawn(serv, name, place, health).id, at: Date.now() }
    case 'block': return serv.setBlock(serv.overworld, place.floored(), serv.registry.blocksByName[name].defaultState)
    case 'look': return { name: (await serv.overworld.getBlock(place.floored())).name }
    case 'health': return player.updateHealth(count)
    case 'time': return serv.setTime(count)
    case 'food': return player.updateFood(count)
    case 'move': return player.teleport(place)
    case 'hold': return hold(player, count)
    case 'kick': return player.kick(text ?? 'Kicked')
    case 'clear': return mobs.clear(serv)
    case 'say': return serv.broadcast(text)
    default: throw new Error(`nobody can do ${what}`)
  }
}

function give (serv, player, name, count) {
  const Item = require('prismarine-item')(serv.registry)
  player.inventory.updateSlot(player.inventory.firstEmptyInventorySlot(), new Item(serv.registry.itemsByName[name].id, count))
}

/** She is thrown back to where she is whenever she moves, until `times` is 0. */
function hold (player, times) {
  const at = player.position.clone()
  if (player.held) player.off('move', player.held)
  player.held = ({ position }) => { if (position.distanceTo(at) > 0.5) player.teleport(at) }
  if (times) player.on('move', player.held)
}

function body (request) {
  return new Promise((resolve, reject) => {
    let text = ''
    request.on('data', piece => { text += piece; if (text.length > 65_536) reject(new Error('too long')) })
    request.on('end', () => resolve(text)).on('error', reject)
  })
}

module.exports = { server }
