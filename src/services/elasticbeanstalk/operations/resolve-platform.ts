import type { Context } from '../../context.ts'
import type { Parts } from '../parts.ts'
import { invalidCombination, invalidValue } from '../validation.ts'

type Asked = { SolutionStackName?: string | undefined; PlatformArn?: string | undefined }

/** The platform that a request names, echoed as it was named.
 *  @throws DeclaredError in AWS's words, or naming the command that adds the missing interpreter. */
export function resolvePlatform({ catalogue }: Pick<Parts, 'catalogue'>, context: Context, asked: Asked) {
  const { SolutionStackName: stackName, PlatformArn: arn } = asked
  if (stackName !== undefined && arn !== undefined)
    throw invalidCombination('You cannot specify both a SolutionStackName and a PlatformArn.')
  const name = arn ?? stackName
  // `eb` compares this text, and tries again with a platform.
  if (name === undefined) throw invalidValue('Unable to determine base for template pack (no solution stack)')
  const resolution = catalogue.resolve(name)
  if (resolution.kind === 'unknown' && arn !== undefined) throw unknownPlatform(arn)
  if (resolution.kind !== 'found') throw invalidValue(resolution.message)
  return {
    family: resolution.stack.runtime.family,
    runtime: resolution.stack.runtime,
    solutionStackName: resolution.solutionStackName,
    platformArn: resolution.platformArn(context.region),
  }
}

/** In the words by which Terraform knows that it is gone. */
export const unknownPlatform = (arn: string) => invalidValue(`No Platform named '${arn}' found.`)
