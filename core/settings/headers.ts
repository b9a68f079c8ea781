/** The environment variable of the collectors with the value of an HTTP header. */
export function headerVariable(header: string): string {
    return `OTLP_HEADER_${header.toUpperCase().replaceAll("-", "_")}`;
}
