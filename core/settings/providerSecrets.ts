import { parse } from "yaml";

import { withoutSecrets } from "../lib/secrets";
import { asHelm } from "../lib/yaml/read";
import type { Problem } from "./problems";

/** The setting with which a stack reaches its cluster. */
const kubeconfig = "kubernetes:kubeconfig";

/**
 * Configuration of providers that is a secret and stands in plain text, such as `aws:secretKey`, or a proxy with a password. It is
 * in git as long as the file is, and Pulumi puts it into the state as it stands.
 *
 * @param config all configuration of a stack, by its full key.
 * @param isEncrypted whether the value of a full key is encrypted.
 */
export function providerSecretProblems(
    config: Readonly<Record<string, string>>,
    isEncrypted: (key: string) => boolean,
): Problem[] {
    return Object.entries(config)
        .filter(([key, text]) => key !== kubeconfig && !isEncrypted(key) && isSecret(key, text))
        .map(([key]) => ({
            key,
            message:
                "is a secret in plain text, which is in git and in the state for everybody to read. Encrypt it, and revoke this one",
            allowed: "what Pulumi encrypts; or nothing, where the environment has it",
            run: encrypting(key),
        }));
}

/** The same for a kubeconfig with a token, a key or a password. It only causes a warning, because Pulumi encrypts it in the state. */
export function kubeconfigNotices(
    config: Readonly<Record<string, string>>,
    isEncrypted: (key: string) => boolean,
): string[] {
    return hasKubeconfigSecret(config) && !isEncrypted(kubeconfig)
        ? [
              `${kubeconfig} has a token, a key or a password in plain text, which everyone who reads the stack file can use. ` +
                  `Encrypt it: cat FILE | ${encrypting(kubeconfig)}`,
          ]
        : [];
}

/** Whether there is a kubeconfig that signs in by itself, as opposed to the path of one, or a command. */
export function hasKubeconfigSecret(config: Readonly<Record<string, string>>): boolean {
    return isSecret(kubeconfig, config[kubeconfig] ?? "");
}

function encrypting(key: string): string {
    return `pulumi config set --secret ${key}`;
}

/** Settings of the program have rules of their own. */
function isSecret(key: string, text: string): boolean {
    const [namespace = "", name = ""] = key.split(/:(.*)/s);
    return namespace !== "kof" && withoutSecrets({ [name]: structured(text) }).found.length > 0;
}

function structured(text: string): unknown {
    try {
        const found: unknown = /[:{[]/.test(text) ? parse(text, asHelm) : text;
        return typeof found === "object" ? found : text;
    } catch {
        return text;
    }
}
