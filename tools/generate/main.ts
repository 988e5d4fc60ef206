// Development time only: `npm run generate`. What it writes is committed.
import { generateCompatibility } from './compatibility.ts'
import { generateConfigurationDoc } from './configuration-doc.ts'
import { generateOperations } from './operations.ts'
import { generateOptionsDoc } from './options-doc.ts'
import { generateTables } from './tables.ts'

generateOperations()
generateTables()
generateOptionsDoc()
generateConfigurationDoc()
generateCompatibility()
