// Development time only: `npm run generate`. What it writes is committed.
import { generateCompatibility } from './compatibility.ts'
import { generateOperations } from './operations.ts'
import { generateOptionsDoc } from './options-doc.ts'
import { generateTables } from './tables.ts'

generateOperations()
generateTables()
generateOptionsDoc()
generateCompatibility()
