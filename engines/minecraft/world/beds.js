'use strict'
// Beds have two halves; when all players lie in one at night, the rest of it is over.

const SLEEPS_MS = 2000
const [DUSK, DAWN] = [12542, 23459] // ticks of a day between which one sleeps
const ALONG = { north: [0, -1], south: [0, 1], west: [-1, 0], east: [1, 0] }
const [STANDING, LYING] = [0, 2] // poses
const LEAVES = 2 // an entity action

function server (serv) {
  const names = serv.registry.blocksArray.map(({ name }) => name).filter(name => name.endsWith('_bed'))
  for (const name of names) {
    serv.onItemPlace(name, data => lay(serv, name, data))
    serv.onBlockInteraction(name, ({ player, block }) => lie(serv, player, block))
  }
  serv.on('newPlayer', player => {
    player._client.on('entity_action', ({ actionId }) => { if (actionId === LEAVES) rise(player) })
    player.on('dug', ({ block, position }) => {
      if (names.includes(block.name)) serv.setBlock(player.world, other(block, position), 0)
    })
  })
}

/** Both halves, the foot where somebody puts it. */
async function lay (serv, name, { player, placedPosition: foot, properties: { facing } }) {
  const [dx, dz] = ALONG[facing]
  const head = foot.offset(dx, 0, dz)
  if ((await player.world.getBlock(head)).boundingBox !== 'empty') return {}
  const { id, defaultState, minStateId, states } = serv.registry.blocksByName[name]
  const half = part => serv.setBlockDataProperties(defaultState - minStateId, states, { facing, part })
  await serv.setBlock(player.world, head, minStateId + half('head'))
  return { id, data: half('foot') }
}

function other (block, position) {
  const { facing, part } = block.getProperties()
  const [dx, dz] = ALONG[facing]
  return part === 'foot' ? position.offset(dx, 0, dz) : position.offset(-dx, 0, -dz)
}

function lie (serv, player, block) {
  if (serv.time < DUSK || serv.time >= DAWN) return true // nobody sleeps by day
  player.sleeps = true
  player.spawnPoint = player.position.clone()
  pose(player, LYING)
  player.emit('slept', block.name)
  setTimeout(() => {
    if (!player.sleeps || !serv.players.every(each => each.sleeps)) return
    serv.setTime(0)
    serv.players.forEach(rise)
  }, SLEEPS_MS)
  return true
}

function rise (player) {
  if (!player.sleeps) return
  player.sleeps = false
  pose(player, STANDING)
  player._client.write('animation', { entityId: player.id, animation: LEAVES })
}

function pose (player, value) {
  player._client.write('entity_metadata', { entityId: player.id, metadata: [{ key: 6, type: 18, value }] })
}

module.exports = { server }
