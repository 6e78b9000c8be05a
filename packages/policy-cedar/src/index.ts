export { createCedarForm, type CedarFormOptions } from './cedar-form.ts'
