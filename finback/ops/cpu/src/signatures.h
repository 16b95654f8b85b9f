// The kernels, declared once for each level: this file is included inside namespaces and has no guard.
// Pointers are to contiguous rows unless said otherwise; T tokens, n streams, D hidden size.

// Activations are FP32, or BF16 where `bf16` says so; parameters, gates and their gradients are FP32. A kernel named
// *_back takes the gradient g* of a result and gives the gradient d* of an argument.

// ops.reference.hc_pre for h [T, n, D], n <= 8. x: [T, D], post: [n, T], comb: [n, n, T]. kept: [(2+n)n + 1, T], what
// hc_pre_back needs, or null.
void hc_pre(const void* h, bool bf16, const float* fn, const float* scale, const float* base, int64_t T, int n, int64_t D, int iters,
            float eps, float norm_eps, void* x, float* post, float* comb, float* kept);
void hc_pre_back(const void* h, bool bf16, const float* fn, const float* scale, const float* base, const float* kept, const void* gx,
                 const float* gpost, const float* gcomb, int64_t T, int n, int64_t D, int iters, float eps, void* dh, float* dfn,
                 float* dscale, float* dbase);

// ops.reference.hc_head. kept: [n + 1, T] or null.
void hc_head(const void* h, bool bf16, const float* fn, const float* scale, const float* base, int64_t T, int n, int64_t D, float eps,
             float norm_eps, void* x, float* kept);
void hc_head_back(const void* h, bool bf16, const float* fn, const float* scale, const float* base, const float* kept, const void* gx,
                  int64_t T, int n, int64_t D, float eps, void* dh, float* dfn, float* dscale, float* dbase);

// ops.reference.hc_post. x: [T, D], residual and out [T, n, D]; out may be residual.
void hc_post(const void* x, const void* residual, bool bf16, const float* post, const float* comb, int64_t T, int n, int64_t D,
             void* out);
void hc_post_back(const void* x, const void* residual, bool bf16, const float* post, const float* comb, const void* g, int64_t T, int n,
                  int64_t D, void* dx, void* dresidual, float* dpost, float* dcomb);

// ops.reference.rms_norm for x [rows, n]. w: [n] or null; factors: [rows], 1 / rms of each row.
void norm_rows(const void* x, bool bf16, const float* w, int64_t rows, int64_t n, float eps, void* y, float* factors);
void norm_rows_back(const void* x, bool bf16, const float* w, const float* factors, const void* g, int64_t rows, int64_t n, void* dx,
                    float* dw);

// ops.reference.rotate for x [T, inner, c] by cos, sin [T, r]; direction -1 turns back, which is its gradient.
void turn_rows(const void* x, bool bf16, const float* cos, const float* sin, int64_t T, int64_t inner, int64_t c, int64_t r,
               float direction, void* y);

// A whole forward, or that of MTP block `depth` (else -1) on the streams `given` [T, n, D]. tokens: [T]; segments: [S, 6],
// each the tokens seen before, rows, tokens whose entries stand already, and the addresses of the sequence's fixed buffer, the pool and the table of its
// blocks, which covers its rows; logits: [R, V] of the given rows; streams: [T, n, D] or null.
void forward(finback::Model* model, const int64_t* tokens, int64_t T, const int64_t* segments, int64_t depth,
             const float* given, const int64_t* rows, int64_t R, float* logits, float* streams);

// The steps of a training step's experts. Row i belongs to token source[i] / k and to weights[source[i]]; source may be
// null (row i, weights[i]) and weights too (all 1). Source -1: a row of zeros, which goes nowhere. `bf16`: the rows' type, else FP32.

// Counting sort of ids [n] in 0..E-1: expert e's rows are source[start[e]..start[e+1]-1], in order, filled up to a
// multiple with rows of zeros, whose source is -1. start: [E + 1], of which start[0] is -1 - i if ids[i] is not an expert;
// source: room for n + E * (multiple - 1).
void expert_order(const int64_t* ids, int64_t n, int64_t E, int64_t multiple, int32_t* source, int64_t* start);
// rows[i] = x[source[i] / k] for n rows of D.
void gather_rows(const void* x, int x_bf16, const int32_t* source, int64_t k, int64_t n, int64_t D, void* rows, int bf16);
// y[source[i] / k] += rows[i] for i = 0..n-1 in order.
void add_rows(const void* rows, int bf16, const int32_t* source, int64_t k, int64_t n, int64_t D, float* y);
// The middle of ops.reference.swiglu from gate and up before their clamps, [n, inner]; then its gradients and the middle
// once more. dgate may be dmiddle; dweights may be null.
void swiglu_forward(const void* gate, const void* up, int bf16, const float* weights, const int32_t* source, int64_t n,
                    int64_t inner, float limit, void* middle);
void swiglu_backward(const void* gate, const void* up, const void* dmiddle, int bf16, const float* weights, const int32_t* source,
                     int64_t n, int64_t inner, float limit, void* middle, void* dgate, void* dup, float* dweights);

// ops.sparse_attention for q [T, H, c], window [before + T, c] and entries [E, c], all FP32 or all BF16, as are out and
// grad, and the gradients like what they are of. selected: [T, K], or K = -1 for all visible entries;
// sink: [H]; stats: [T, H, 2], what the backward pass needs.
void sparse_attention(const void* q, const void* window, const void* entries, const int64_t* selected, const float* sink, bool bf16,
                      int64_t T, int64_t H, int64_t c, int64_t before, int64_t E, int64_t K, int64_t start, int64_t width, int64_t ratio,
                      void* out, float* stats);
void sparse_attention_backward(const void* q, const void* window, const void* entries, const int64_t* selected, const float* sink,
                               bool bf16, int64_t T, int64_t H, int64_t c, int64_t before, int64_t E, int64_t K, int64_t start,
                               int64_t width, int64_t ratio, const void* out, const float* stats, const void* grad, void* dq,
                               void* dwindow, void* dentries, float* dsink);

// ops.entry_mass: the same without `selected`. mass: [T, E].
void entry_mass(const void* q, const void* window, const void* entries, const float* sink, bool bf16, int64_t T, int64_t H, int64_t c,
                int64_t before, int64_t E, int64_t start, int64_t width, int64_t ratio, float* mass);

// ops.index_scores for q [T, H, c], gate [T, H], keys [E, c]. scores, grad: [T, E].
void index_scores(const float* q, const float* gate, const float* keys, int64_t T, int64_t H, int64_t c, int64_t E, float* scores);
void index_scores_backward(const float* q, const float* gate, const float* keys, const float* grad, int64_t T, int64_t H, int64_t c,
                           int64_t E, float* dq, float* dgate, float* dkeys);

// ops.pool_windows for k entries of c channels. u, z: [(k + overlap) * ratio, c * (1 + overlap)]; out, grad: [k, c].
void pool_windows(const float* u, const float* z, int64_t k, int64_t ratio, int64_t c, bool overlap, float* out);
void pool_windows_backward(const float* u, const float* z, const float* out, const float* grad, int64_t k, int64_t ratio, int64_t c,
                           bool overlap, float* du, float* dz);
