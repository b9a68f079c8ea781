/**
 * Stands in for Pulumi's random provider: RandomPassword, of letters and digits. It does not imitate `special` and the other
 * options for what a password is made of.
 */
import { randomInt } from "node:crypto";

import { version } from "@pulumi/random/package.json";

import { serve } from "./server";

const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function password(length: number): string {
    return Array.from({ length }, () => characters.charAt(randomInt(characters.length))).join("");
}

void serve({
    version,
    resources: {
        "random:index/randomPassword:RandomPassword": {
            replaces: ["length", "special", "keepers"],
            create: ({ length }) =>
                Promise.resolve({ id: "none", computed: { result: password(length as number), bcryptHash: "" } }),
            read: (_id, { length, special, keepers, result, bcryptHash }) =>
                Promise.resolve({ inputs: { length, special, keepers }, computed: { result, bcryptHash } }),
            update: () => Promise.resolve(),
            delete: () => Promise.resolve(),
        },
    },
    functions: {},
});
