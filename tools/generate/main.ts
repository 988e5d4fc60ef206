// Development time only: `npm run generate`. What it writes is committed.
import { generateOperations } from './operations.ts'
import { generateTables } from './tables.ts'

generateOperations()
generateTables()
