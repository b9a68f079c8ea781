// Run by Pulumi: `pulumi preview --policy-pack policy`. It runs a policy pack's TypeScript with every type checked, which takes
// longer than the preview: hence JavaScript.
// @ts-check
"use strict";

const { PolicyPack } = require("@pulumi/policy");
const pulumi = require("@pulumi/pulumi");

const { rules } = require("./rules");

new PolicyPack("kof", {
    enforcementLevel: "mandatory",
    policies: rules.map(({ name, description, options, violations, ofStack }) => ({
        name,
        description,
        configSchema: {
            properties: Object.fromEntries(
                Object.entries(options ?? {}).map(([key, value]) => [key, { type: "string", default: value }]),
            ),
        },
        ...(violations && {
            validateResource: (args, reportViolation) => {
                const stack = {
                    // urn:pulumi:STACK::PROJECT::TYPE::NAME
                    name: /^urn:pulumi:(.*?)::/.exec(args.urn)?.[1] ?? "",
                    distribution: new pulumi.Config("kof").get("distribution"),
                };
                for (const violation of violations(args, stack, { ...options, ...args.getConfig() })) {
                    reportViolation(violation);
                }
            },
        }),
        ...(ofStack && {
            validateStack: ({ resources }, reportViolation) => {
                for (const violation of ofStack(resources)) {
                    reportViolation(violation);
                }
            },
        }),
    })),
});
