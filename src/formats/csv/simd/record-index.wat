;; Where the fields and the records of a block of CSV end, 64 bytes at a time, by WebAssembly SIMD (128 bits).
;;
;; For valid UTF-8 in which records end with LF or CRLF, and a quote inside quotes is doubled. Each 64 bytes become masks
;; of one bit a byte: first the lowest. A byte is inside quotes where the number of quotes up to it is odd. That is so only
;; as long as each quote is in its place; at the first one that is not the index ends, with the records before that.
;; The bytes behind the block, up to the next multiple of 64, must be neither delimiter nor quote nor LF.
;; `node scripts/build-wasm.mjs` compiles this file.
;;
;; index(block, length, ends, records, lines, delimiter, quote, cr, open) → number of records
;;   block      address of the bytes; may be read up to 63 bytes beyond `length`
;;   ends       address of i32[]: position of each delimiter and LF outside quotes, in order, in UTF-16 units
;;   records    address of i32[]: for each record, the index of its LF in `ends`, times 4; + 1: has quotes; + 2: has quotes
;;              that are doubled
;;   lines      address of i32[]: for each record, the number of LFs up to its own, in quotes or not
;;   quote      255 where nothing quotes
;;   cr         13 where CRLF is a line end, else 255
;;   open       -1 where the block begins inside quotes, else 0
;;   results    address of i32[2]: bytes up to the end of the last record; whether there are other bytes than those of ASCII
(module
  (memory (export "memory") 7)
  (func (export "index")
    (param $block i32) (param $length i32) (param $ends i32) (param $records i32) (param $lines i32)
    (param $delimiter i32) (param $quote i32) (param $cr i32) (param $open i32) (param $results i32)
    (result i32)
    (local $delimiters v128) (local $lineEnds v128) (local $quotes v128) (local $crs v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $at i32) (local $end i32) (local $record i32) (local $address i32) (local $count i32)
    (local $flags i32) (local $lineCount i32) (local $shift i32) (local $toLines i32)
    (local $taken i32) (local $multibyte i32)
    (local $inside i64) (local $lf i64) (local $newlines i64) (local $structure i64) (local $quoted i64) (local $doubled i64)
    (local $opening i64) (local $afterQuote i64) (local $afterClosing i64) (local $misplaced i64) (local $below i64)
    (local $carriages i64) (local $trailing i64) (local $wide i64)
    ;; What the last byte of the 64 before was, for the first of the next.
    (local $wasStructure i64) (local $wasQuote i64) (local $wasClosing i64) (local $wasCr i64)
    (local.set $delimiters (i8x16.splat (local.get $delimiter)))
    (local.set $lineEnds (i8x16.splat (i32.const 10)))
    (local.set $quotes (i8x16.splat (local.get $quote)))
    (local.set $crs (i8x16.splat (local.get $cr)))
    (local.set $end (local.get $ends))
    (local.set $record (local.get $records))
    (local.set $toLines (i32.sub (local.get $lines) (local.get $records)))
    (local.set $inside (i64.extend_i32_s (local.get $open)))
    ;; A record that begins in an earlier block has quotes: those that it is open in.
    (local.set $flags (i32.and (local.get $open) (i32.const 1)))
    (local.set $wasStructure (i64.extend_i32_u (i32.eqz (local.get $open))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $address (i32.add (local.get $block) (local.get $at)))
        (local.set $a (v128.load offset=0 (local.get $address)))
        (local.set $b (v128.load offset=16 (local.get $address)))
        (local.set $c (v128.load offset=32 (local.get $address)))
        (local.set $d (v128.load offset=48 (local.get $address)))
        (local.set $lf
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $lineEnds))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $lineEnds)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $lineEnds)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $lineEnds)))) (i64.const 48)))))
        (local.set $structure
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $delimiters))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $delimiters)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $delimiters)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $delimiters)))) (i64.const 48)))))
        (local.set $newlines (local.get $lf))
        (if (i32.or
              (v128.any_true
                (v128.or
                  (v128.or (i8x16.eq (local.get $a) (local.get $quotes)) (i8x16.eq (local.get $b) (local.get $quotes)))
                  (v128.or (i8x16.eq (local.get $c) (local.get $quotes)) (i8x16.eq (local.get $d) (local.get $quotes)))))
              (i64.ne
                (i64.or (local.get $inside) (i64.or (local.get $wasClosing) (local.get $wasCr)))
                (i64.const 0)))
          (then
            (local.set $quoted
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $quotes))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $quotes)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $quotes)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $quotes)))) (i64.const 48)))))
            ;; From each opening quote to before its closing one: the parity of the quotes up to each byte.
            (local.set $below (local.get $quoted))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 1))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 2))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 4))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 8))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 16))))
            (local.set $below (i64.xor (local.get $below) (i64.shl (local.get $below) (i64.const 32))))
            (local.set $below (i64.xor (local.get $below) (local.get $inside)))
            (local.set $inside (i64.shr_s (local.get $below) (i64.const 63)))
            (local.set $newlines (i64.and (local.get $lf) (i64.xor (local.get $below) (i64.const -1))))
            (local.set $structure
              (i64.or
                (local.get $newlines)
                (i64.and (local.get $structure) (i64.xor (local.get $below) (i64.const -1)))))
            (local.set $opening (i64.and (local.get $quoted) (local.get $below)))
            (local.set $afterQuote (i64.or (i64.shl (local.get $quoted) (i64.const 1)) (local.get $wasQuote)))
            (local.set $doubled (i64.and (local.get $opening) (local.get $afterQuote)))
            ;; A quote opens at the start of a field, or is the second of a doubled one.
            (local.set $misplaced
              (i64.and
                (local.get $opening)
                (i64.xor
                  (i64.or
                    (local.get $afterQuote)
                    (i64.or (i64.shl (local.get $structure) (i64.const 1)) (local.get $wasStructure)))
                  (i64.const -1))))
            ;; What closes is followed by the end of the field, or is the first of a doubled one.
            (local.set $below (i64.xor (local.get $opening) (local.get $quoted)))
            (local.set $afterClosing (i64.or (i64.shl (local.get $below) (i64.const 1)) (local.get $wasClosing)))
            (local.set $wasClosing (i64.shr_u (local.get $below) (i64.const 63)))
            (local.set $carriages
              (i64.and
                (local.get $afterClosing)
                (i64.or
                  (i64.or
                    (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $crs))))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $crs)))) (i64.const 16)))
                  (i64.or
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $crs)))) (i64.const 32))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $crs)))) (i64.const 48))))))
            (local.set $misplaced
              (i64.or
                (local.get $misplaced)
                (i64.or
                  (i64.and
                    (local.get $afterClosing)
                    (i64.xor
                      (i64.or (local.get $structure) (i64.or (local.get $quoted) (local.get $carriages)))
                      (i64.const -1)))
                  (i64.and
                    (i64.or (i64.shl (local.get $carriages) (i64.const 1)) (local.get $wasCr))
                    (i64.xor (local.get $newlines) (i64.const -1))))))
            (local.set $wasCr (i64.shr_u (local.get $carriages) (i64.const 63)))
            (if (i64.ne (local.get $misplaced) (i64.const 0))
              (then
                (local.set $below
                  (i64.sub
                    (i64.and (local.get $misplaced) (i64.sub (i64.const 0) (local.get $misplaced)))
                    (i64.const 1)))
                (local.set $newlines (i64.and (local.get $newlines) (local.get $below))))))
          (else
            (local.set $quoted (i64.const 0))
            (local.set $doubled (i64.const 0))
            (local.set $structure (i64.or (local.get $structure) (local.get $newlines)))))
        (local.set $wasStructure (i64.shr_u (local.get $structure) (i64.const 63)))
        (local.set $wasQuote (i64.shr_u (local.get $quoted) (i64.const 63)))
        (local.set $count (i32.shr_u (i32.sub (local.get $end) (local.get $ends)) (i32.const 2)))
        (if (i64.ne (local.get $newlines) (i64.const 0))
          (then
            (local.set $taken
              (i32.sub
                (i32.add (local.get $at) (i32.const 64))
                (i32.wrap_i64 (i64.clz (local.get $newlines)))))))
        ;; For each record that ends here: how many delimiters and LFs lie before its LF.
        (if (i64.eqz (i64.or (local.get $quoted) (i64.extend_i32_u (local.get $flags))))
          (then
            (if (i64.ne (local.get $newlines) (i64.const 0))
              (then
                (loop $nextRecord
                  (i32.store (local.get $record)
                    (i32.shl
                      (i32.add
                        (local.get $count)
                        (i32.wrap_i64
                          (i64.popcnt
                            (i64.and
                              (local.get $structure)
                              (i64.sub
                                (i64.and (local.get $newlines) (i64.sub (i64.const 0) (local.get $newlines)))
                                (i64.const 1))))))
                      (i32.const 2)))
                  (local.set $lineCount (i32.add (local.get $lineCount) (i32.const 1)))
                  (i32.store (i32.add (local.get $record) (local.get $toLines)) (local.get $lineCount))
                  (local.set $record (i32.add (local.get $record) (i32.const 4)))
                  (local.set $newlines (i64.and (local.get $newlines) (i64.sub (local.get $newlines) (i64.const 1))))
                  (br_if $nextRecord (i64.ne (local.get $newlines) (i64.const 0)))))))
          (else
            (if (i64.ne (local.get $newlines) (i64.const 0))
              (then
                (loop $nextRecord
                  (local.set $below
                    (i64.sub
                      (i64.and (local.get $newlines) (i64.sub (i64.const 0) (local.get $newlines)))
                      (i64.const 1)))
                  (i32.store (local.get $record)
                    (i32.or
                      (i32.shl
                        (i32.add
                          (local.get $count)
                          (i32.wrap_i64 (i64.popcnt (i64.and (local.get $structure) (local.get $below)))))
                        (i32.const 2))
                      (i32.or
                        (local.get $flags)
                        (i32.or
                          (i64.ne (i64.and (local.get $quoted) (local.get $below)) (i64.const 0))
                          (i32.shl
                            (i64.ne (i64.and (local.get $doubled) (local.get $below)) (i64.const 0))
                            (i32.const 1))))))
                  (i32.store (i32.add (local.get $record) (local.get $toLines))
                    (i32.add
                      (i32.add (local.get $lineCount) (i32.const 1))
                      (i32.wrap_i64 (i64.popcnt (i64.and (local.get $lf) (local.get $below))))))
                  (local.set $flags (i32.const 0))
                  (local.set $quoted (i64.and (local.get $quoted) (i64.xor (local.get $below) (i64.const -1))))
                  (local.set $doubled (i64.and (local.get $doubled) (i64.xor (local.get $below) (i64.const -1))))
                  (local.set $record (i32.add (local.get $record) (i32.const 4)))
                  (local.set $newlines (i64.and (local.get $newlines) (i64.sub (local.get $newlines) (i64.const 1))))
                  (br_if $nextRecord (i64.ne (local.get $newlines) (i64.const 0))))))
            (local.set $flags
              (i32.or
                (local.get $flags)
                (i32.or
                  (i64.ne (local.get $quoted) (i64.const 0))
                  (i32.shl (i64.ne (local.get $doubled) (i64.const 0)) (i32.const 1)))))
            (local.set $lineCount (i32.add (local.get $lineCount) (i32.wrap_i64 (i64.popcnt (local.get $lf)))))))
        ;; Where each delimiter and LF is: in bytes, less those that are no UTF-16 unit of their own.
        (if (i8x16.bitmask (v128.or (v128.or (local.get $a) (local.get $b)) (v128.or (local.get $c) (local.get $d))))
          (then
            (local.set $multibyte (i32.const 1))
            (local.set $trailing
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $a) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $b) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $c) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (local.get $d) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))) (i64.const 48)))))
            (local.set $wide
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $a) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $b) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $c) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (local.get $d) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16)))) (i64.const 48)))))
            (if (i64.ne (local.get $structure) (i64.const 0))
              (then
                (loop $nextEnd
                  (local.set $below
                    (i64.sub
                      (i64.and (local.get $structure) (i64.sub (i64.const 0) (local.get $structure)))
                      (i64.const 1)))
                  (i32.store (local.get $end)
                    (i32.add
                      (i32.add
                        (i32.add (local.get $at) (local.get $shift))
                        (i32.wrap_i64 (i64.ctz (local.get $structure))))
                      (i32.wrap_i64
                        (i64.sub
                          (i64.popcnt (i64.and (local.get $wide) (local.get $below)))
                          (i64.popcnt (i64.and (local.get $trailing) (local.get $below)))))))
                  (local.set $end (i32.add (local.get $end) (i32.const 4)))
                  (local.set $structure (i64.and (local.get $structure) (i64.sub (local.get $structure) (i64.const 1))))
                  (br_if $nextEnd (i64.ne (local.get $structure) (i64.const 0))))))
            (local.set $shift
              (i32.add
                (local.get $shift)
                (i32.wrap_i64 (i64.sub (i64.popcnt (local.get $wide)) (i64.popcnt (local.get $trailing)))))))
          (else
            (if (i64.ne (local.get $structure) (i64.const 0))
              (then
                (local.set $count (i32.add (local.get $at) (local.get $shift)))
                (loop $nextEnd
                  (i32.store (local.get $end)
                    (i32.add (local.get $count) (i32.wrap_i64 (i64.ctz (local.get $structure)))))
                  (local.set $end (i32.add (local.get $end) (i32.const 4)))
                  (local.set $structure (i64.and (local.get $structure) (i64.sub (local.get $structure) (i64.const 1))))
                  (br_if $nextEnd (i64.ne (local.get $structure) (i64.const 0))))))))
        (br_if $done (i64.ne (local.get $misplaced) (i64.const 0)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (i32.store (local.get $results) (local.get $taken))
    (i32.store offset=4 (local.get $results) (local.get $multibyte))
    (i32.shr_u (i32.sub (local.get $record) (local.get $records)) (i32.const 2))))
