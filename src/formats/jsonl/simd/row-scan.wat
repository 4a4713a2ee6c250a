;; The values of records of JSON Lines that are alike, by WebAssembly SIMD (128 bits).
;;
;; Templates say what stands before each value: `{"id":`, then `,"name":` and so on. Those of several shapes that begin alike
;; are a tree. A line is taken only if it is just what a way through the tree says, with a value after each node, `}` behind
;; one at which a shape ends, and a line end (LF, CR LF, or the end of the block), and if each of its values is JSON:
;; - a string: no control character in it, and no character behind a backslash that is not ASCII; whether its escapes are
;;   valid is left to who reads it
;; - a number without exponent, whose digits are an integer below 2^53: divided by a power of ten (at most 10^17, exact),
;;   that gives the nearest double, as one division rounds once
;; - null, true or false
;; - an object or an array: brackets that are closed, in which there is no control character; whether it is JSON, and its
;;   integers can be held by numbers, is left to who reads it
;; The scan stops at the first line that is anything else, and knows nothing of what is wrong with it, if something is.
;; The block must be valid UTF-8, and have 64 bytes of zero behind it, which are no part of any value or template.
;; `node scripts/build-wasm.mjs` compiles this file.
;;
;; scan(at, length, shift, capacity) → number of lines that were taken
;;   at         where the first line begins, in the block
;;   length     of the block, which begins at address 0
;;   shift      at `at`, UTF-16 units less bytes
;;   capacity   cells that there is room for; a line that needs more is not taken
;;
;; Addresses (row-scan.ts has the same):
;;   65664      f64[18]: powers of ten
;;   65840      i32[3]: results: where the first line begins that was not taken, the shift there, and how many bytes are in
;;              objects and arrays
;;   65856      the tree, and in it first the node that lines begin with. Of each node i32[8]: its bytes, UTF-16 units less
;;              bytes, steps of 16 bytes, the address of the node to try instead (0: none), of the first one that may follow
;;              (0: none), the number of the shape that ends here (−1: none), 0, 0;
;;              then for each step 16 bytes to compare, and 16 that are 255 for those that count and else 0
;;   131392     i32 for each cell: of a string, where it begins, in UTF-16 units (brackets are as quotes, with escapes); of a small integer, its value
;;   196928     i32 for each cell: of a string, where it ends; −16 less that if it has escapes; else its kind:
;;              −1 small integer, −2 other number, −3 null, −4 true, −5 false
;;   262464     f64 for each cell: of another number, its value
;;   393536     i32 for each line: the number of its shape
(module
  (memory (export "memory") 8)
  (func (export "scan")
    (param $at i32) (param $length i32) (param $shift i32) (param $capacity i32)
    (result i32)
    (local $quote v128) (local $backslash v128) (local $space v128) (local $bytes v128)
    (local $rows i32) (local $cell i32) (local $lineAt i32) (local $lineShift i32)
    (local $node i32) (local $template i32) (local $begin i32) (local $steps i32) (local $next i32)
    (local $found i32) (local $code i32) (local $below i32) (local $start i32) (local $kind i32)
    (local $digits i64) (local $first i32) (local $count i32) (local $fraction i32) (local $negative i32)
    (local $number f64) (local $depth i32) (local $inside i32) (local $nested i32) (local $folded v128)
    (local.set $quote (i8x16.splat (i32.const 34)))
    (local.set $backslash (i8x16.splat (i32.const 92)))
    (local.set $space (i8x16.splat (i32.const 32)))
    (local.set $lineAt (local.get $at))
    (local.set $lineShift (local.get $shift))
    (block $done
      (loop $line
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $node (i32.const 65856))
        (loop $column
          (br_if $done (i32.ge_u (local.get $cell) (local.get $capacity)))
          ;; Which node it is.
          (local.set $begin (local.get $at))
          (block $known
            (loop $try
              (local.set $steps (i32.load offset=8 (local.get $node)))
              (local.set $template (i32.add (local.get $node) (i32.const 32)))
              (block $differs
                (loop $step
                  (br_if $differs
                    (v128.any_true
                      (v128.and
                        (v128.xor (v128.load (local.get $at)) (v128.load (local.get $template)))
                        (v128.load offset=16 (local.get $template)))))
                  (local.set $at (i32.add (local.get $at) (i32.const 16)))
                  (local.set $template (i32.add (local.get $template) (i32.const 32)))
                  (local.set $steps (i32.sub (local.get $steps) (i32.const 1)))
                  (br_if $step (local.get $steps)))
                (br $known))
              (local.set $at (local.get $begin))
              (local.set $node (i32.load offset=12 (local.get $node)))
              (br_if $try (local.get $node))
              (br $done)))
          (local.set $at (i32.add (local.get $begin) (i32.load (local.get $node))))
          (local.set $shift (i32.add (local.get $shift) (i32.load offset=4 (local.get $node))))
          (local.set $code (i32.load8_u (local.get $at)))
          (block $value
            (if (i32.eq (local.get $code) (i32.const 34))
              (then
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $start (i32.add (local.get $at) (local.get $shift)))
                (local.set $kind (i32.const 0))
                (block $closed
                  (loop $string
                    (local.set $bytes (v128.load (local.get $at)))
                    (local.set $found
                      (i8x16.bitmask
                        (v128.or
                          (v128.or
                            (i8x16.eq (local.get $bytes) (local.get $quote))
                            (i8x16.eq (local.get $bytes) (local.get $backslash)))
                          (i8x16.lt_u (local.get $bytes) (local.get $space)))))
                    (if (i8x16.bitmask (local.get $bytes))
                      (then
                        ;; Bytes before what was found, or all 16.
                        (local.set $below
                          (i32.and
                            (i32.xor (local.get $found) (i32.sub (local.get $found) (i32.const 1)))
                            (i32.const 65535)))
                        (local.set $shift
                          (i32.sub
                            (i32.add
                              (local.get $shift)
                              (i32.popcnt
                                (i32.and
                                  (local.get $below)
                                  (i8x16.bitmask
                                    (i8x16.ge_u (local.get $bytes) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16))))))
                            (i32.popcnt
                              (i32.and
                                (local.get $below)
                                (i8x16.bitmask
                                  (i8x16.lt_s (local.get $bytes) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))))))))
                    (if (i32.eqz (local.get $found))
                      (then
                        (local.set $at (i32.add (local.get $at) (i32.const 16)))
                        (br $string)))
                    (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $found))))
                    (local.set $code (i32.load8_u (local.get $at)))
                    (br_if $closed (i32.eq (local.get $code) (i32.const 34)))
                    (br_if $done (i32.ne (local.get $code) (i32.const 92)))
                    (br_if $done (i32.lt_s (i32.load8_s offset=1 (local.get $at)) (i32.const 32)))
                    (local.set $kind (i32.const 1))
                    (local.set $at (i32.add (local.get $at) (i32.const 2)))
                    (br $string)))
                (local.set $next (i32.add (local.get $at) (local.get $shift)))
                (i32.store offset=131392 (i32.shl (local.get $cell) (i32.const 2)) (local.get $start))
                (i32.store offset=196928
                  (i32.shl (local.get $cell) (i32.const 2))
                  (select
                    (i32.sub (i32.const -16) (local.get $next))
                    (local.get $next)
                    (local.get $kind)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $value)))
            ;; An object or an array: up to the bracket that closes it. Whether it is JSON is left to who reads it.
            (if (i32.eq (i32.or (local.get $code) (i32.const 32)) (i32.const 123))
              (then
                (local.set $begin (local.get $at))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $start (i32.add (local.get $at) (local.get $shift)))
                (local.set $depth (i32.const 1))
                (local.set $inside (i32.const 0))
                (block $closed
                  (loop $part
                    (local.set $bytes (v128.load (local.get $at)))
                    ;; In a string what ends it or escapes; outside brackets (with a bit more, [ is { and ] is }) and quotes.
                    (local.set $found
                      (i8x16.bitmask
                        (v128.or
                          (v128.or
                            (i8x16.eq (local.get $bytes) (local.get $quote))
                            (i8x16.lt_u (local.get $bytes) (local.get $space)))
                          (if (result v128) (local.get $inside)
                            (then (i8x16.eq (local.get $bytes) (local.get $backslash)))
                            (else
                              (local.set $folded (v128.or (local.get $bytes) (local.get $space)))
                              (v128.or
                                (i8x16.eq (local.get $folded) (i8x16.splat (i32.const 123)))
                                (i8x16.eq (local.get $folded) (i8x16.splat (i32.const 125)))))))))
                    (if (i8x16.bitmask (local.get $bytes))
                      (then
                        (local.set $below
                          (i32.and
                            (i32.xor (local.get $found) (i32.sub (local.get $found) (i32.const 1)))
                            (i32.const 65535)))
                        (local.set $shift
                          (i32.sub
                            (i32.add
                              (local.get $shift)
                              (i32.popcnt
                                (i32.and
                                  (local.get $below)
                                  (i8x16.bitmask
                                    (i8x16.ge_u (local.get $bytes) (v128.const i8x16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16))))))
                            (i32.popcnt
                              (i32.and
                                (local.get $below)
                                (i8x16.bitmask
                                  (i8x16.lt_s (local.get $bytes) (v128.const i8x16 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64 -64)))))))))
                    (if (i32.eqz (local.get $found))
                      (then
                        (local.set $at (i32.add (local.get $at) (i32.const 16)))
                        (br $part)))
                    (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $found))))
                    (local.set $code (i32.load8_u (local.get $at)))
                    (if (i32.eq (local.get $code) (i32.const 34))
                      (then (local.set $inside (i32.eqz (local.get $inside))))
                      (else
                        (if (i32.eq (local.get $code) (i32.const 92))
                          (then
                            (br_if $done (i32.lt_s (i32.load8_s offset=1 (local.get $at)) (i32.const 32)))
                            (local.set $at (i32.add (local.get $at) (i32.const 1))))
                          (else
                            (br_if $done (i32.lt_u (local.get $code) (i32.const 32)))
                            (local.set $depth
                              (i32.add
                                (local.get $depth)
                                (select
                                  (i32.const -1)
                                  (i32.const 1)
                                  (i32.eq (i32.or (local.get $code) (i32.const 32)) (i32.const 125)))))
                            (br_if $closed (i32.eqz (local.get $depth)))))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (br $part)))
                (i32.store offset=131392 (i32.shl (local.get $cell) (i32.const 2)) (local.get $start))
                (i32.store offset=196928
                  (i32.shl (local.get $cell) (i32.const 2))
                  (i32.sub (i32.const -16) (i32.add (local.get $at) (local.get $shift))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $nested
                  (i32.add (local.get $nested) (i32.sub (local.get $at) (local.get $begin))))
                (br $value)))
            (local.set $kind (i32.const 0))
            (if (i32.eq (local.get $code) (i32.const 110)) ;; null
              (then
                (br_if $done (i32.ne (i32.load (local.get $at)) (i32.const 0x6c6c756e)))
                (local.set $at (i32.add (local.get $at) (i32.const 4)))
                (local.set $kind (i32.const -3))))
            (if (i32.eq (local.get $code) (i32.const 116)) ;; true
              (then
                (br_if $done (i32.ne (i32.load (local.get $at)) (i32.const 0x65757274)))
                (local.set $at (i32.add (local.get $at) (i32.const 4)))
                (local.set $kind (i32.const -4))))
            (if (i32.eq (local.get $code) (i32.const 102)) ;; false
              (then
                (br_if $done (i32.ne (i32.load offset=1 (local.get $at)) (i32.const 0x65736c61)))
                (local.set $at (i32.add (local.get $at) (i32.const 5)))
                (local.set $kind (i32.const -5))))
            (if (local.get $kind)
              (then
                (i32.store offset=196928 (i32.shl (local.get $cell) (i32.const 2)) (local.get $kind))
                (br $value)))
            ;; A number, or nothing.
            (local.set $negative (i32.eq (local.get $code) (i32.const 45)))
            (local.set $at (i32.add (local.get $at) (local.get $negative)))
            (local.set $first (local.get $at))
            (local.set $digits (i64.const 0))
            (local.set $fraction (i32.const 0))
            (local.set $code (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
            (br_if $done (i32.gt_u (local.get $code) (i32.const 9)))
            (if (i32.eqz (local.get $code))
              ;; Nothing but a full stop may follow a leading zero; a digit will not fit the template.
              (then (local.set $at (i32.add (local.get $at) (i32.const 1))))
              (else
                (loop $digit
                  (local.set $digits
                    (i64.add
                      (i64.mul (local.get $digits) (i64.const 10))
                      (i64.extend_i32_u (local.get $code))))
                  (local.set $at (i32.add (local.get $at) (i32.const 1)))
                  (local.set $code (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
                  (br_if $digit (i32.le_u (local.get $code) (i32.const 9))))))
            (local.set $count (i32.sub (local.get $at) (local.get $first)))
            (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 46))
              (then
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $first (local.get $at))
                (block $end
                  (loop $digit
                    (local.set $code (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
                    (br_if $end (i32.gt_u (local.get $code) (i32.const 9)))
                    (local.set $digits
                      (i64.add
                        (i64.mul (local.get $digits) (i64.const 10))
                        (i64.extend_i32_u (local.get $code))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (br $digit)))
                (local.set $fraction (i32.sub (local.get $at) (local.get $first)))
                (br_if $done (i32.eqz (local.get $fraction)))
                (local.set $count (i32.add (local.get $count) (local.get $fraction)))))
            ;; 18 digits do not overflow.
            (br_if $done (i32.gt_u (local.get $count) (i32.const 18)))
            (br_if $done (i64.gt_u (local.get $digits) (i64.const 9007199254740991)))
            (if (i32.and
                  (i32.and (i32.eqz (local.get $fraction)) (i64.lt_u (local.get $digits) (i64.const 0x40000000)))
                  ;; Minus zero is no integer.
                  (i32.or (i32.eqz (local.get $negative)) (i64.ne (local.get $digits) (i64.const 0))))
              (then
                (local.set $start (i32.wrap_i64 (local.get $digits)))
                (i32.store offset=131392
                  (i32.shl (local.get $cell) (i32.const 2))
                  (select
                    (i32.sub (i32.const 0) (local.get $start))
                    (local.get $start)
                    (local.get $negative)))
                (i32.store offset=196928 (i32.shl (local.get $cell) (i32.const 2)) (i32.const -1)))
              (else
                (local.set $number
                  (f64.div
                    (f64.convert_i64_u (local.get $digits))
                    (f64.load offset=65664 (i32.shl (local.get $fraction) (i32.const 3)))))
                (f64.store offset=262464
                  (i32.shl (local.get $cell) (i32.const 3))
                  (select (f64.neg (local.get $number)) (local.get $number) (local.get $negative)))
                (i32.store offset=196928 (i32.shl (local.get $cell) (i32.const 2)) (i32.const -2)))))
          (local.set $cell (i32.add (local.get $cell) (i32.const 1)))
          (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 44))
            (then
              (local.set $node (i32.load offset=16 (local.get $node)))
              (br_if $column (local.get $node))
              (br $done))))
        (br_if $done (i32.ne (i32.load8_u (local.get $at)) (i32.const 125)))
        (local.set $next (i32.load offset=20 (local.get $node)))
        (br_if $done (i32.lt_s (local.get $next) (i32.const 0)))
        (local.set $code (i32.load8_u offset=1 (local.get $at)))
        (if (i32.eq (local.get $code) (i32.const 10))
          (then (local.set $at (i32.add (local.get $at) (i32.const 2))))
          (else
            (if (i32.and
                  (i32.eq (local.get $code) (i32.const 13))
                  (i32.eq (i32.load8_u offset=2 (local.get $at)) (i32.const 10)))
              (then (local.set $at (i32.add (local.get $at) (i32.const 3))))
              (else
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $done (i32.ne (local.get $at) (local.get $length)))))))
        (i32.store offset=393536 (i32.shl (local.get $rows) (i32.const 2)) (local.get $next))
        (local.set $lineAt (local.get $at))
        (local.set $lineShift (local.get $shift))
        (local.set $rows (i32.add (local.get $rows) (i32.const 1)))
        (br $line)))
    (i32.store (i32.const 65840) (local.get $lineAt))
    (i32.store (i32.const 65844) (local.get $lineShift))
    (i32.store (i32.const 65848) (local.get $nested))
    (local.get $rows)))
