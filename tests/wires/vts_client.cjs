// A foreign VTube Studio client (npm vtubestudio) against the address in argv[2]: prints what it got, as JSON.
const { ApiClient } = require('vtubestudio')

async function main() {
  let token = null
  const client = new ApiClient({
    authTokenGetter: () => token,
    authTokenSetter: async given => { token = given },
    pluginName: 'Foreign Plugin',
    pluginDeveloper: 'Somebody',
    url: process.argv[2],
  })
  client.on('error', error => { throw error })
  await new Promise(resolve => client.on('connect', resolve))
  const got = { events: [] }
  const number = async promise => { try { await promise } catch (error) { return error.data.errorID } }
  const event = kind => data => got.events.push([kind, data])
  await client.events.hotkeyTriggered.subscribe(event('hotkey'), { onlyForAction: 2 })
  await client.events.modelLoaded.subscribe(event('model'))
  await client.events.trackingStatusChanged.subscribe(event('face'))
  await client.events.test.subscribe(event('test'), { testMessageForEvent: 'hello' })

  got.state = await client.apiState()
  got.statistics = await client.statistics()
  got.folders = await client.vtsFolderInfo()
  got.models = await client.availableModels()
  got.inputs = await client.inputParameterList()
  got.live2d = await client.live2DParameterList()
  got.meshes = await client.artMeshList()
  got.overlay = await client.sceneColorOverlayInfo()
  got.items = await client.itemList({ includeAvailableSpots: true, includeItemInstancesInScene: true,
    includeAvailableItemFiles: true })
  got.physics = await client.getCurrentModelPhysics()
  got.created = await client.parameterCreation({ parameterName: 'ForeignParam', explanation: 'ours', min: -5,
    max: 5, defaultValue: 1 })
  const values = [{ id: 'ForeignParam', value: 2 }, { id: 'MouthOpen', value: 1, weight: 0.5 }]
  const names = ['ForeignParam', 'MouthOpen', 'FaceAngleX', 'EyeOpenLeft']
  let began
  do { // what is not said again is let go after a second
    began = Date.now()
    got.injected = await client.injectParameterData({ faceFound: true, mode: 'set', parameterValues: values })
    // Many at once: every answer must find its own request.
    got.values = await Promise.all(names.map(name => client.parameterValue({ name })))
    got.found = await client.faceFound()
  } while (Date.now() - began > 900)
  got.hotkeys = await client.hotkeysInCurrentModel()
  got.triggered = await client.hotkeyTrigger({ hotkeyID: 'Happy' })
  got.expressions = await client.expressionState({ details: true })
  await client.expressionActivation({ expressionFile: 'happy.exp3.json', fadeTime: 0, active: false })
  const [main, evil] = got.models.availableModels
  const load = ({ modelID }) => client.modelLoad({ modelID })
  const [loaded, again] = await Promise.all([load(evil), number(load(main))]) // the second comes too soon
  got.loaded = loaded
  got.current = await client.currentModel()
  got.deleted = await client.parameterDeletion({ parameterName: 'ForeignParam' })
  got.errors = await Promise.all([
    client.parameterValue({ name: 'NoSuchParam' }),
    client.injectParameterData({ parameterValues: [{ id: 'NoSuchParam', value: 1 }] }),
    client.events.modelOutline.subscribe(() => {}),
    client.itemLoad({ fileName: 'cat.png' }),
  ].map(number))
  got.errors.unshift(again)
  while (!got.events.some(([kind]) => kind === 'test')) await new Promise(resolve => setTimeout(resolve, 20))
  console.log(JSON.stringify(got))
  await client.disconnect()
}

main().catch(error => { console.error(error); process.exit(1) })
