'use strict'
// What hurts and feeds a player beside mobs: lava, water, falls, hunger; blocks that need the right tool. flying-squid
// has none of it.

const LOOK_MS = 500
const AIR_MS = 10_000 // under water without harm
const HUNGRY_MS = 30_000 // a point of food
const EAT_MS = 1600

function server (serv, { getBlock }) {
  serv.on('newPlayer', player => {
    const since = { under: 0, hungry: Date.now(), top: -Infinity }
    const timer = setInterval(() => { if (player.health > 0 && player.position) look(player, since, getBlock) }, LOOK_MS)
    player.on('disconnected', () => clearInterval(timer))
    player.on('move', ({ position, onGround }) => fall(player, since, position, onGround))
    player.on('dug', data => drops(serv, player, data))
    // flying-squid waits for a number, and the protocol's data has a name for it by now.
    player._client.prependListener('client_command', data => { if (data.actionId === 'perform_respawn') data.actionId = 0 })
    player.on('requestRespawn', () => { player.position = player.spawnPoint.clone(); player.food = 20 })
    player._client.on('use_item', () => eat(serv, player))
  })
}

async function look (player, since, getBlock) {
  const [feet, head] = [await getBlock(player.position), await getBlock(player.position.offset(0, 1.6, 0))]
  if ([feet, head].some(block => ['lava', 'fire'].includes(block?.name))) harm(player, 4, 'lava')
  if (head?.name !== 'water') since.under = Date.now()
  else if (Date.now() - since.under > AIR_MS) harm(player, 1, 'drowning')
  if (Date.now() - since.hungry > HUNGRY_MS) {
    since.hungry = Date.now()
    if (player.food > 0) player.updateFood(player.food - 1)
    else harm(player, 1, 'hunger')
  }
  if (player.food >= 18 && player.health < 20) player.updateHealth(Math.min(20, player.health + 0.5))
}

function harm (player, damage, why) {
  player.emit('hurt', why)
  player.takeDamage({ damage })
}

function fall (player, since, position, onGround) {
  since.top = Math.max(since.top, position.y)
  if (!onGround) return
  const deep = since.top - position.y
  since.top = position.y
  if (deep <= 3.5 || player.health <= 0) return
  player.world.getBlock(position).then(block => {
    if (block?.name !== 'water') harm(player, Math.floor(deep - 3), 'a fall')
  })
}

/** Without the right tool a block drops nothing. */
function drops (serv, player, data) {
  const tool = player.inventory.slots[36 + player.heldItemSlot]
  const wanted = serv.registry.blocksByName[data.block.name]?.harvestTools
  if (wanted && !wanted[tool?.type]) data.dropBlock = false
  if (data.block.name.endsWith('_leaves')) data.dropBlock = false
  player.emit('broke', data.block.name, tool?.name ?? '', data.dropBlock, data.position)
}

function eat (serv, player) {
  const slot = 36 + player.heldItemSlot
  const food = serv.registry.foodsByName[player.inventory.slots[slot]?.name]
  if (!food || player.food >= 20) return
  setTimeout(() => {
    const item = player.inventory.slots[slot]
    if (!item || item.name !== food.name) return
    player.inventory.updateSlot(slot, --item.count ? item : null)
    player._client.write('entity_status', { entityId: player.id, entityStatus: 9 })
    player.updateFood(Math.min(20, player.food + food.foodPoints))
    player.emit('ate', food.name)
  }, EAT_MS)
}

module.exports = { server }
