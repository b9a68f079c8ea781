import { kofNamespace } from "../core/charts/namespace";
import type { Live } from "./findings";

/** What a Secret in the namespace of KOF has, by its keys, as text; `undefined` where there is no such Secret. */
export async function secretValues(
    { kubernetes }: Pick<Live, "kubernetes">,
    name: string,
): Promise<ReadonlyMap<string, string> | undefined> {
    const secret = await kubernetes.get<{ data?: Readonly<Record<string, string>> }>(
        `/api/v1/namespaces/${kofNamespace}/secrets/${name}`,
    );
    return (
        secret &&
        new Map(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]))
    );
}
