import type { Route } from "../routes";

/** What happens to one of the credentials with which the collectors write. */
export interface CredentialChange {
    readonly operation: "made" | "kept" | "revoked";
    readonly what: string;
}

/** The credentials that the program makes and revokes, or reads. */
export function credentialChanges(from: Route, to: Route): CredentialChange[] {
    const [before, after] = [credentialsOf(from), credentialsOf(to)];
    return [
        ...after.map((what) => ({ operation: before.includes(what) ? "kept" : "made", what }) as const),
        ...before.filter((what) => !after.includes(what)).map((what) => ({ operation: "revoked", what }) as const),
    ];
}

/** What the collectors of a route authenticate with, as a person reads it. */
export function credentialsOf({ cloudwatch }: Route): string[] {
    const { credentials } = cloudwatch ?? {};
    return credentials?.kind === "accessKey"
        ? credentials.generations.map((generation) => `access key ${generation} of IAM user cloudwatch`)
        : [];
}
