// A member of requests that only `eb` sends (its own copy of the model has it): where a configuration is taken from.
import { notImplemented } from '../validation.ts'

type TemplateSource = {
  SolutionStackName?: string
  PlatformArn?: string
  EnvironmentName?: string
  SourceContents?: string
}

type Private = {
  SolutionStackName?: string
  PlatformArn?: string
  TemplateSpecification?: {
    TemplateSource?: TemplateSource
    TemplateSnippets?: object[]
    Parameters?: object[]
  }
}

/** The source that a request names, there or in members that the public model lacks for this operation.
 *  @throws DeclaredError for what it can carry besides: snippets of CloudFormation, whole files. */
export function templateSource(input: object): Omit<TemplateSource, 'SourceContents'> {
  const { TemplateSpecification: given = {}, SolutionStackName, PlatformArn }: Private = input
  if ((given.TemplateSnippets?.length ?? 0) > 0 || (given.Parameters?.length ?? 0) > 0)
    throw notImplemented('TemplateSpecification with snippets or parameters')
  const { SourceContents, ...source } = given.TemplateSource ?? {}
  if (SourceContents !== undefined) throw notImplemented('TemplateSource.SourceContents')
  return {
    ...(SolutionStackName === undefined ? {} : { SolutionStackName }),
    ...(PlatformArn === undefined ? {} : { PlatformArn }),
    ...source,
  }
}
