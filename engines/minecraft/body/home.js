'use strict'
// What she does at home: puts things into a chest, takes them out, sleeps in a bed.

const { Failed } = require('./job')
const { near, place, standing, station } = require('./moves')
const { family, listed, members, tidy } = require('./names')
const { inventory } = require('./state')
const { object, some, word } = require('./schema')

const OPEN_MS = 5000
const SETTLE_MS = 250 // for the server to correct what the client believes
const MOST = 64
const DUSK = 12542 // ticks of a day; from then on one sleeps
const DAWN = 23459
const NIGHT_MS = 60_000 // for others to go to bed, too

const HOME = {
  store: {
    description: 'Put something into a chest.',
    schema: object({ item: word, count: some(MOST) }),
    seconds: 90,
    run: (context, data, job) => moved(context.bot, job, tidy(data.item), data.count, true)
  },
  take: {
    description: 'Take something out of a chest.',
    schema: object({ item: word, count: some(MOST) }),
    seconds: 90,
    run: (context, data, job) => moved(context.bot, job, tidy(data.item), data.count, false)
  },
  sleep: {
    description: 'Sleep in a bed until morning.',
    goal: bot => isNight(bot) && findBed(bot) !== null,
    seconds: 150,
    run: ({ bot }, data, job) => sleep(bot, job)
  }
}

/** Move `wanted` of something into a chest or out of it. It counts when both what she has and what lies in the chest,
 *  opened once more, say so. */
async function moved (bot, job, name, wanted, into) {
  const before = job.memo.moved ??= inventory(bot)
  const kind = into ? most(before, name) : null
  if (into && !kind) throw new Failed(`you have no ${name.replaceAll('_', ' ')}`)
  const block = await station(bot, job, 'chest')
  const lay = await opened(bot, job, block, async (chest, lies) => {
    job.memo.lay ??= lies
    const item = kind ?? most(job.memo.lay, name)
    if (!item) throw new Failed(`there is no ${name.replaceAll('_', ' ')} in the chest; in it: ${listed(job.memo.lay)}`)
    const left = wanted - shifted(bot, before, item, into)
    if (left > 0) await transfer(bot, job, chest, item, Math.min(left, (into ? inventory(bot) : lies)[item] ?? 0), into)
    return item
  })
  await job.sleep(SETTLE_MS)
  const lies = await opened(bot, job, block, (chest, lies) => lies)
  const there = Math.abs((lies[lay] ?? 0) - (job.memo.lay[lay] ?? 0))
  const count = Math.min(there, shifted(bot, before, lay, into))
  const what = `${count} ${lay.replaceAll('_', ' ')} ${into ? 'into' : 'out of'} the chest`
  if (count < wanted) throw new Failed(`you ${into ? 'put' : 'took'} only ${what}`)
  return `You ${into ? 'put' : 'took'} ${what}. In it: ${listed(lies)}.`
}

/** Open it, do something with (chest, {item: count}), close it. */
async function opened (bot, job, block, act) {
  const chest = await job.wait(bot.openContainer(block), undefined, OPEN_MS)
  try {
    const lies = {}
    for (const item of chest.containerItems()) lies[item.name] = (lies[item.name] ?? 0) + item.count
    return await act(chest, lies)
  } finally {
    chest.close()
  }
}

async function transfer (bot, job, chest, item, count, into) {
  if (!count) return
  const { id } = bot.registry.itemsByName[item]
  const full = error => { throw new Failed(`${into ? 'the chest' : 'you'} took no more (${error.message.slice(0, 80)})`) }
  await job.wait((into ? chest.deposit(id, null, count) : chest.withdraw(id, null, count)).catch(full))
}

const shifted = (bot, before, item, into) => (into ? -1 : 1) * ((inventory(bot)[item] ?? 0) - (before[item] ?? 0))

/** Of what counts as `name` that of which there is most. */
function most (items, name) {
  const kinds = Object.keys(items).filter(each => each === name || members(name).includes(each) || family(each) === name)
  return kinds.sort((a, b) => items[b] - items[a])[0]
}

const isNight = bot => bot.time.timeOfDay >= DUSK && bot.time.timeOfDay < DAWN
const beds = bot => bot.registry.blocksArray.map(({ name }) => name).filter(name => name.endsWith('_bed'))

/** The name of a kind of bed that stands near, or that she has. */
function findBed (bot) {
  return beds(bot).find(name => standing(bot, name)) ?? beds(bot).find(name => inventory(bot)[name]) ?? null
}

async function sleep (bot, job) {
  if (!isNight(bot)) throw new Failed('it is day, and one sleeps at night')
  const name = findBed(bot)
  if (!name) throw new Failed('there is no bed')
  if (!standing(bot, name)) await place(bot, job, name)
  const bed = standing(bot, name)
  if (!bed) throw new Failed('the bed is gone')
  await near(bot, job, bed.position, 2, 30_000)
  try {
    await job.wait(bot.sleep(bed).catch(error => { throw new Failed(error.message) }))
    for (const ends = Date.now() + NIGHT_MS; bot.isSleeping && isNight(bot) && Date.now() < ends;) await job.sleep(250)
  } finally {
    if (bot.isSleeping) bot.wake().catch(() => {})
  }
  if (isNight(bot)) throw new Failed('the night did not pass, perhaps because others are awake')
  return 'You slept until morning.'
}

module.exports = { HOME }
