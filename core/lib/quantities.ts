/** Bytes of a GiB. */
export const gib = 2 ** 30;

/** Bytes by the units of Kubernetes' quantities. */
const units: Readonly<Record<string, number>> = {
    "": 1,
    ...Object.fromEntries(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((unit, i) => [unit, 1024 ** (i + 1)])),
    ...Object.fromEntries(["k", "M", "G", "T", "P", "E"].map((unit, i) => [unit, 1000 ** (i + 1)])),
};

/** A Kubernetes quantity of bytes in GiB; `NaN` for what is none. */
export function sizeInGiB(size: string): number {
    const [, amount = "", unit = ""] = /^(\d+(?:\.\d*)?)([A-Za-z]*)$/.exec(size) ?? [];
    return amount === "" ? Number.NaN : (Number(amount) * (units[unit] ?? Number.NaN)) / gib;
}

/** A Kubernetes quantity of CPU in cores: `100m` is 0.1; `NaN` for what is none. */
export function cpuCores(cpu: string): number {
    const [, amount = "", milli] = /^(\d+(?:\.\d*)?)(m)?$/.exec(cpu) ?? [];
    return amount === "" ? Number.NaN : Number(amount) / (milli === undefined ? 1 : 1000);
}

/** Bytes as VictoriaMetrics' flags take them, in GiB: `50GiB`, `50GB`, `500000000`; `NaN` for what is none. */
export function bytesInGiB(text: string): number {
    const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)([KMGT]i?)?B?$/.exec(text) ?? [];
    return amount === "" ? Number.NaN : sizeInGiB(amount + unit.replace(/^K$/, "k"));
}

/** Bytes as the shortest whole quantity: `512Mi`; `undefined` if that would be bytes. */
export function quantityOf(bytes: number): string | undefined {
    const unit = ["Gi", "Mi", "Ki", "G", "M", "k"].find((each) => bytes % (units[each] ?? Number.NaN) === 0);
    return unit === undefined ? undefined : `${String(bytes / (units[unit] ?? Number.NaN))}${unit}`;
}

/** A human-readable amount in GiB: `12.5Gi`. */
export function gibText(amount: number): string {
    return `${String(Math.round(amount * 10) / 10)}Gi`;
}
