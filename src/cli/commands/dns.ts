// `dns`: which name leads where and why, as the name server answers.
import type { NamesReport } from '../../services/cloud.ts'
import { EXIT } from '../failure.ts'
import { note, paint, print, printJson, printTable } from '../output.ts'
import { openApiHere } from '../remote-api.ts'

/** Answers the exit status. */
export async function dns(homeDir: string, { json }: { json?: boolean }): Promise<number> {
  const report = JSON.parse(await openApiHere(homeDir).get('/polebean/names')) as NamesReport
  const problems = [
    ...report.zones
      .filter(({ inSync }) => !inSync)
      .map(({ name }) => `${name}: the name server has not followed yet`),
    ...report.names.filter(({ problem }) => problem !== '').map(({ name, problem }) => `${name}: ${problem}`),
  ]
  if (json) printJson(report)
  else {
    if (report.names.length === 0) print('No name leads to an environment or a load balancer yet.')
    else
      printTable(
        ['NAME', 'ANSWER', 'LEADS TO', 'WHY'],
        report.names.map(({ name, isPrivate, answers, leadsTo, why }) => [
          name,
          answers.map((one) => one.split(' ').slice(2).join(' ')).join(', ') || '-',
          leadsTo,
          isPrivate ? `${why}, inside` : why,
        ]),
      )
    for (const problem of problems) note(paint('ERROR', `polebean: ${problem}`))
  }
  return problems.length > 0 ? EXIT.failed : EXIT.ok
}
