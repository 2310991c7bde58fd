'use strict'
// Hostile mobs that walk to a player and hit, since flying-squid's stand still; and weapons that hurt as they should.

const { Vec3 } = require('vec3')

const STEP_MS = 100
const SEES = 16 // blocks
const REACH = 1.7
const HIT_MS = 1000
const SPEED = 2.6 // blocks a second
const HARM = 2 // half hearts
const HOSTILE = ['zombie', 'skeleton', 'spider', 'creeper', 'husk']
const WEAPONS = { wooden_sword: 4, stone_sword: 5, iron_sword: 6, wooden_axe: 7, stone_axe: 9, iron_axe: 9 }

function server (serv) {
  setInterval(() => mobs(serv).forEach(mob => act(serv, mob)), STEP_MS)
  serv.on('newPlayer', player => {
    player.on('attack', data => { data.damage = WEAPONS[held(player)?.name] ?? 1 })
    player.on('attack_done', ({ attackedEntity: mob }) => {
      if (mob.type !== 'mob' || mob.health > 0) return
      player.emit('killed', mob.name)
      for (const each of serv.players) each.despawnEntities([mob]) // or it stands there for ever
    })
  })
}

const mobs = serv => Object.values(serv.entities).filter(each => each.type === 'mob' && HOSTILE.includes(each.name))
const held = player => player.inventory.slots[36 + player.heldItemSlot]

/** A hostile mob at a place; 20 of health is the usual. */
function spawn (serv, name, position, health) {
  const mob = serv.spawnMob(serv.registry.entitiesByName[name].id, serv.overworld, position)
  mob.gravity = undefined // it walks below, and does not fall
  mob.health = health
  return mob
}

/** All of them gone. */
function clear (serv) { for (const mob of mobs(serv)) mob.destroy() }

async function act (serv, mob) {
  const prey = serv.players.filter(p => p.health > 0 && p.gameMode === 0)
    .sort((a, b) => a.position.distanceTo(mob.position) - b.position.distanceTo(mob.position))[0]
  if (!prey || prey.position.distanceTo(mob.position) > SEES) return
  const away = prey.position.minus(mob.position)
  if (away.norm() < REACH) return hit(mob, prey)
  const to = mob.position.plus(new Vec3(away.x, 0, away.z).unit().scaled(SPEED * STEP_MS / 1000))
  const y = await ground(serv, to)
  if (Math.abs(y - mob.position.y) <= 1.1) await mob.sendPosition(new Vec3(to.x, y, to.z), true)
}

function hit (mob, prey) {
  if (Date.now() - (mob.hitAt ?? 0) < HIT_MS) return
  mob.hitAt = Date.now()
  const push = prey.position.minus(mob.position).unit().scaled(4)
  prey.emit('hurt', mob.name)
  prey.takeDamage({ damage: HARM, velocity: new Vec3(push.x, 3, push.z), maxVelocity: undefined })
}

async function ground (serv, { x, y, z }) {
  for (let down = Math.ceil(y) + 1; down > y - 4; down--) {
    const block = await serv.overworld.getBlock(new Vec3(x, down - 1, z).floored())
    if (block?.boundingBox === 'block') return down
  }
  return y
}

module.exports = { server, spawn, clear }
