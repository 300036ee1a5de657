declare module 'snappyjs' {
  const snappy: {
    /** @throws Error when it unpacks to more than `maxLength` bytes, or is not compressed with Snappy */
    uncompress(compressed: Buffer, maxLength: number): Buffer;
  };
  export default snappy;
}
