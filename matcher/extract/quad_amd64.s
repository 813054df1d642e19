#include "textflag.h"

// A quad is loaded as its upper pair into the low half of a register and its lower
// pair, stride bytes further, into the high half.

// func averageQuad(out *[4]float32, f []float32, p, stride int, taps []alongTap)
TEXT ·averageQuad(SB), NOSPLIT, $0-72
	MOVQ   out+0(FP), DI
	MOVQ   f_base+8(FP), SI
	MOVQ   p+32(FP), AX
	MOVQ   stride+40(FP), DX
	MOVQ   taps_base+48(FP), BX
	MOVQ   taps_len+56(FP), CX
	LEAQ   (SI)(AX*4), SI
	SHLQ   $2, DX
	MOVSD  (SI), X0
	MOVHPS (SI)(DX*1), X0
	MOVSS  8(BX), X1        // the middle's weight
	SHUFPS $0, X1, X1
	MULPS  X1, X0
	DECQ   CX
	JLE    done

loop:
	ADDQ    $16, BX
	MOVLQSX 0(BX), R8           // near, in pixels
	MOVLQSX 4(BX), R9           // far
	LEAQ    (SI)(R8*4), R10
	LEAQ    (SI)(R9*4), R11
	NEGQ    R8
	NEGQ    R9
	LEAQ    (SI)(R8*4), R8
	LEAQ    (SI)(R9*4), R9
	MOVSD   (R10), X1
	MOVHPS  (R10)(DX*1), X1
	MOVSD   (R8), X2
	MOVHPS  (R8)(DX*1), X2
	MOVSD   (R11), X3
	MOVHPS  (R11)(DX*1), X3
	MOVSD   (R9), X4
	MOVHPS  (R9)(DX*1), X4
	MOVSS   8(BX), X5
	SHUFPS  $0, X5, X5
	MOVSS   12(BX), X6
	SHUFPS  $0, X6, X6
	ADDPS   X2, X1
	ADDPS   X4, X3
	MULPS   X5, X1
	MULPS   X6, X3
	ADDPS   X3, X1
	ADDPS   X1, X0
	DECQ    CX
	JNZ     loop

done:
	MOVUPS X0, (DI)
	RET

// func quadratureQuad(re, im *[4]float32, f []float32, p, stride int, steps []step, taps []acrossTap)
TEXT ·quadratureQuad(SB), NOSPLIT, $0-104
	MOVQ   f_base+16(FP), SI
	MOVQ   p+40(FP), AX
	LEAQ   (SI)(AX*4), SI
	MOVQ   re+0(FP), DI
	MOVQ   im+8(FP), AX
	MOVQ   stride+48(FP), DX
	MOVQ   steps_base+56(FP), R12
	MOVQ   taps_base+80(FP), BX
	MOVQ   taps_len+88(FP), CX
	SHLQ   $2, DX
	MOVSD  (SI), X0
	MOVHPS (SI)(DX*1), X0
	MOVSS  0(BX), X2        // the middle's even weight
	SHUFPS $0, X2, X2
	MULPS  X2, X0
	XORPS  X1, X1
	DECQ   CX
	JLE    done

loop:
	ADDQ    $12, R12
	ADDQ    $8, BX
	MOVLQSX 0(R12), R8           // near, in pixels
	MOVLQSX 4(R12), R9           // far
	LEAQ    (SI)(R8*4), R10
	LEAQ    (SI)(R9*4), R11
	NEGQ    R8
	NEGQ    R9
	LEAQ    (SI)(R8*4), R8
	LEAQ    (SI)(R9*4), R9
	MOVSD   (R10), X2
	MOVHPS  (R10)(DX*1), X2
	MOVSD   (R8), X4
	MOVHPS  (R8)(DX*1), X4
	MOVSD   (R11), X3
	MOVHPS  (R11)(DX*1), X3
	MOVSD   (R9), X5
	MOVHPS  (R9)(DX*1), X5
	MOVSS   8(R12), X6
	SHUFPS  $0, X6, X6
	SUBPS   X2, X3               // ahead, between near and far
	MULPS   X6, X3
	ADDPS   X3, X2
	SUBPS   X4, X5               // behind
	MULPS   X6, X5
	ADDPS   X5, X4
	MOVAPS  X2, X3
	ADDPS   X4, X2
	SUBPS   X4, X3
	MOVSS   0(BX), X6
	SHUFPS  $0, X6, X6
	MOVSS   4(BX), X7
	SHUFPS  $0, X7, X7
	MULPS   X6, X2
	MULPS   X7, X3
	ADDPS   X2, X0
	SUBPS   X3, X1
	DECQ    CX
	JNZ     loop

done:
	MOVUPS X0, (DI)
	MOVUPS X1, (AX)
	RET
