/** Whether the client accepts gzip: its `accept-encoding` names it, and not with the weight 0. */
export function takesGzip(accepted: string | null | undefined): boolean {
  return (accepted ?? '').split(',').some((one) => {
    const [coding = '', ...weights] = one.split(';').map((text) => text.trim().toLowerCase());
    return (coding === 'gzip' || coding === '*') && !weights.some((weight) => /^q=0(\.0*)?$/.test(weight));
  });
}
