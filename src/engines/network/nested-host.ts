// Runs inside the network namespace that host-firewall.real.test.ts made to be a host: makes a router there, attaches one
// member and prints what works. Arguments: the home as JSON, process id of the member, address outside.
import { readFileSync } from 'node:fs'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import { makeRouter } from './router.ts'

const [homeText = '', memberPid = '', outside = ''] = process.argv.slice(2)
const home = JSON.parse(homeText) as Home
const router = makeRouter(home)
const member = { id: 'i-00000000000000001', address: home.cidr.replace('0.0/16', '1.1') }

const reachesOutside = async () =>
  (await run(['nsenter', '-t', memberPid, '-n', 'curl', '-s', '-m', '2', `http://${outside}/`])).exit === 0
const firewall = async () =>
  (await runOk(['iptables-nft', '-S'])).split('\n').filter((line) => line.includes('polebean'))
const forwarding = () =>
  ['ip_forward', 'conf/wan0/forwarding'].map((name) =>
    readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim(),
  )

const before = forwarding()
await router.ensure()
await router.attach(member, Number(memberPid))
const withDocker = await reachesOutside()
const during = forwarding()
const accepts = await firewall()
await runOk(['nft', 'flush', 'ruleset'])
const flushed = await reachesOutside()
await router.ensure()
const repaired = await reachesOutside()
await router.remove()
const rules = (await runOk(['nft', 'list', 'ruleset'])).trim()
const links = (await runOk(['ip', '-o', 'link']))
  .split('\n')
  .filter((line) => line.includes(router.names.uplink))
console.log(
  JSON.stringify({
    before,
    withDocker,
    during,
    accepts,
    flushed,
    repaired,
    after: forwarding(),
    rules,
    links,
  }),
)
