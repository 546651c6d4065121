/** Stands for zod's writing of JSON Schemas in functions. */
const none = () => {
  throw new Error("JSON Schemas are not written here");
};

export const toJSONSchema = none;
export const createToJSONSchemaMethod = () => none;
export const createStandardJSONSchemaMethod = () => none;
export const allProcessors = {};
export const extractDefs = none;
export const finalize = none;
export const initializeContext = none;
export const processSchema = none;
