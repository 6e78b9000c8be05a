export { conflictStrategies, type ConflictStrategy } from './conflict-strategy.ts'
export { manifestForm } from './manifest-form.ts'
export { createToolkitForm, type ToolkitFormOptions } from './toolkit-form.ts'
