/** What the tests use of peers that bring no types. */
declare module 'papaparse' {
  const papa: {
    parse<R>(
      text: string,
      options: { readonly header: true; readonly delimiter: string },
    ): { readonly data: R[]; readonly errors: readonly { readonly code: string }[] }
  }
  export default papa
}
