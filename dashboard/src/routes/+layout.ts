export const ssr = true;
export const csr = true;
