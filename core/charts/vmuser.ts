/**
 * The Secret with the credentials for a region's vmauth. kof-operator makes it, in the region's namespace and in `kof`,
 * once it has reconciled the regional ClusterDeployment (GetVMUserAdminName in
 * kof-operator/internal/controller/configmap_cluster_regional.go, KOF 1.8.0 to 1.11.0-rc0).
 */
export function vmuserSecretName(cluster: string, namespace: string): string {
    return `${vmuserSecretPrefix}${String(adler32(`kof-${cluster}/${namespace}`))}`;
}

/** What the name of such a Secret starts with. */
export const vmuserSecretPrefix = "kof-vmuser-creds-admin-";

/** The Adler-32 checksum of RFC 1950, as Go's hash/adler32 and Sprig's adler32sum compute it. */
export function adler32(text: string): number {
    let [a, b] = [1, 0];
    for (const byte of Buffer.from(text, "utf8")) {
        a = (a + byte) % 65521;
        b = (b + a) % 65521;
    }
    return ((b << 16) | a) >>> 0;
}
