// Has Node run TypeScript: `node -r ./cli/register.js FILE.ts`. Only types and imports are taken out, which keeps the start
// fast; every supported Node runs the rest as it stands. (Pulumi itself uses ts-node for the program.)
// @ts-check
"use strict";

// @ts-expect-error This part of sucrase has no types.
const { addHook } = require("sucrase/dist/register");

addHook(".ts", { transforms: ["imports", "typescript"], disableESTransforms: true });
