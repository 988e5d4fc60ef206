// What of an environment goes to CloudWatch Logs, as its settings say it.
import type { Read } from './effective.ts'
import type { EnvironmentConfiguration, Streaming } from './types.ts'

const LOGS = 'aws:elasticbeanstalk:cloudwatch:logs'
const HEALTH = 'aws:elasticbeanstalk:cloudwatch:logs:health'

export const streamingIn = (
  read: Read,
): Pick<EnvironmentConfiguration, 'logStreaming' | 'healthStreaming'> => ({
  logStreaming: streamingOf(read, LOGS, 'StreamLogs'),
  healthStreaming: streamingOf(read, HEALTH, 'HealthStreamingEnabled'),
})

const streamingOf = (read: Read, namespace: string, enabled: string): Streaming => ({
  enabled: read(namespace, enabled) === 'true',
  deleteOnTerminate: read(namespace, 'DeleteOnTerminate') === 'true',
  retentionDays: Number(read(namespace, 'RetentionInDays')),
})
