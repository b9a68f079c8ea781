// Has Node run TypeScript: `node -r ./cli/register.js FILE.ts`, by npm, mocha and, through Pulumi.yaml, by `pulumi up`. Only
// types and imports are taken out, which keeps the start fast; every supported Node runs the rest as it stands.
// @ts-check
"use strict";

// @ts-expect-error This part of sucrase has no types.
const { addHook } = require("sucrase/dist/register");

addHook(".ts", { transforms: ["imports", "typescript"], disableESTransforms: true });
