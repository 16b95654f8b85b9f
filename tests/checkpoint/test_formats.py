"""Laws of the FP8 and FP4 codecs."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.checkpoint.formats import FormatError, Stored, decode, e8m0_bytes, e8m0_multipliers, encode, recast_fp4_to_fp8

shapes = st.tuples(st.integers(1, 140), st.integers(1, 140))
seeds = st.integers(0, 2**31)
powers = st.integers(-30, 30)


def random_matrix(shape, seed, power=0, spread=1.0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=g) * 2.0**power
    return x * torch.exp2(torch.randn((shape[0], 1), generator=g) * spread)


def same_bytes(a, b):
    return torch.equal(a.data.view(torch.uint8), b.data.view(torch.uint8)) and torch.equal(e8m0_bytes(a.scale), e8m0_bytes(b.scale))


def official_scale(amax, limit, floor):
    """2^ceil(log2(amax/limit)) in FP32, written with math functions instead of bits."""
    ratio = (torch.clamp(amax, min=floor) * torch.tensor(1 / limit)).double()
    mantissa, exponent = torch.frexp(ratio)
    return torch.exp2((exponent - (mantissa == 0.5).int()).double()).float()


def official_fp8(x):
    """Values of the official rounding, block by block."""
    out = torch.empty_like(x)
    for i in range(0, x.shape[0], 128):
        for j in range(0, x.shape[1], 128):
            b = x[i : i + 128, j : j + 128]
            s = official_scale(b.abs().max(), 448.0, 1e-4)
            out[i : i + 128, j : j + 128] = (b / s).clamp(-448, 448).to(torch.float8_e4m3fn).float() * s
    return out


def official_fp4(x):
    table = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
    out = torch.empty_like(x)
    for j in range(0, x.shape[1], 32):
        b = x[:, j : j + 32]
        s = official_scale(b.abs().amax(1, keepdim=True), 6.0, 6 * 2.0**-126)
        a = (b / s).abs().clamp(max=6)
        distance = (a[..., None] - table).abs()
        nearest = distance.min(-1, keepdim=True).values
        # of two equally near codes the even one
        rank = torch.where(distance == nearest, torch.arange(8) % 2, 9)
        out[:, j : j + 32] = table[rank.argmin(-1)] * torch.sign(b) * s
    return out


def test_every_fp8_byte_decodes_as_torch_casts_it():
    data = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn).view(2, 128)
    for byte in (127, 3, 100, 230):
        scale = torch.tensor([[byte]], dtype=torch.uint8)
        expected = data.float() * 2.0 ** (byte - 127)
        assert torch.equal(decode(Stored(data, scale), torch.float32).nan_to_num(1e9), expected.nan_to_num(1e9))
        assert torch.equal(decode(Stored(data, scale), torch.bfloat16).float().nan_to_num(1e9), expected.nan_to_num(1e9))


def test_every_fp4_byte_decodes_low_nibble_first():
    table = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    values = table + [-v for v in table]
    data = torch.arange(256, dtype=torch.uint8).view(torch.int8).view(16, 16)
    scale = torch.full((16, 1), 129, dtype=torch.uint8).view(torch.float8_e8m0fnu)
    expected = torch.tensor([[values[b % 16] * 4.0, values[b // 16] * 4.0] for b in range(256)]).view(16, 32)
    assert torch.equal(decode(Stored(data, scale), torch.float32), expected)
    assert same_bytes(encode(expected, "fp4"), Stored(data, encode(expected, "fp4").scale))


def test_every_e8m0_byte_is_a_power_of_two_but_255():
    b = torch.arange(255, dtype=torch.uint8)
    expected = torch.exp2(b.double() - 127).float()
    assert torch.equal(e8m0_multipliers(b), expected)
    assert torch.equal(e8m0_multipliers(b.view(torch.float8_e8m0fnu)), expected)
    assert torch.equal(e8m0_bytes(expected), b)
    with pytest.raises(FormatError, match="byte 255"):
        e8m0_multipliers(torch.tensor([3, 255], dtype=torch.uint8))


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_float_scales_are_refused(bad):
    with pytest.raises(FormatError, match="damaged"):
        decode(Stored(torch.zeros(4, 4, dtype=torch.float8_e4m3fn), torch.tensor([[bad]])), torch.float32)


@settings(max_examples=15, deadline=None)
@given(shapes, seeds, powers)
def test_fp8_rounds_to_the_official_values(shape, seed, power):
    x = random_matrix(shape, seed, power)
    assert torch.equal(decode(encode(x, "fp8"), torch.float32), official_fp8(x))


@settings(max_examples=15, deadline=None)
@given(shapes, seeds, powers)
def test_fp4_rounds_to_the_official_values(shape, seed, power):
    x = random_matrix((shape[0], shape[1] * 2), seed, power)
    assert torch.equal(decode(encode(x, "fp4"), torch.float32), official_fp4(x))


@settings(max_examples=15, deadline=None)
@given(shapes, seeds, powers, st.sampled_from([("fp8", 128, 128, 448.0, 1e-4), ("fp4", 1, 32, 6.0, 6 * 2.0**-126)]))
def test_scales_are_the_official_powers_of_two(shape, seed, power, format):
    name, rows, cols, limit, floor = format
    x = random_matrix((shape[0], shape[1] * 2), seed, power)
    found = e8m0_bytes(encode(x, name).scale)
    for a in range(0, x.shape[0], rows):
        for b in range(0, x.shape[1], cols):
            amax = max(float(x[a : a + rows, b : b + cols].abs().max()), floor)
            mantissa, exponent = math.frexp(float(torch.tensor(amax) * torch.tensor(1 / limit)))
            expected = exponent - (mantissa == 0.5) + 127  # ceil(log2(mantissa * 2^exponent)), mantissa in [0.5, 1)
            assert int(found[a // rows, b // cols]) == expected


def test_ties_go_to_the_even_code():
    ties = torch.tensor([[6.0, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, -0.25, -0.75, -1.25, -1.75, -2.5, -3.5, -5.0, -6.0]])
    even = torch.tensor([[6.0, 0.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0, -0.0, -1.0, -1.0, -2.0, -2.0, -4.0, -4.0, -6.0]])
    assert torch.equal(decode(encode(ties, "fp4"), torch.float32), even)
    above, below = ties * (1 + 2.0**-20), ties * (1 - 2.0**-20)
    above[0, [0, -1]], below[0, [0, -1]] = ties[0, [0, -1]], ties[0, [0, -1]]
    for near in (above, below):
        assert torch.equal(decode(encode(near, "fp4"), torch.float32), official_fp4(near))


@settings(max_examples=15, deadline=None)
@given(shapes, seeds, powers, st.sampled_from(["fp8", "fp4"]))
def test_encoding_what_was_decoded_changes_no_value(shape, seed, power, format):
    once = encode(random_matrix((shape[0], shape[1] * 2), seed, power), format)
    values = decode(once, torch.float32)
    for dtype in (torch.float32, torch.bfloat16):
        assert torch.equal(decode(encode(decode(once, dtype), format), torch.float32), values)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from(["fp8", "fp4"]))
def test_values_of_arbitrary_bytes_survive_decode_and_encode(seed, format):
    g = torch.Generator().manual_seed(seed)
    data = torch.randint(0, 256, (130, 128), generator=g, dtype=torch.uint8)
    if format == "fp8":
        data[(data & 127) == 127] = 0
        stored = Stored(data.view(torch.float8_e4m3fn), torch.randint(110, 200, (2, 1), generator=g, dtype=torch.uint8))
    else:
        stored = Stored(data.view(torch.int8), torch.randint(5, 200, (130, 8), generator=g, dtype=torch.uint8))
    x = decode(stored, torch.float32)
    assert torch.equal(decode(encode(x, format), torch.float32), x)


@pytest.mark.parametrize("format", ["fp8", "fp4"])
@pytest.mark.parametrize("value", [0.0, 1e-30, 1e-5, 1e30, 1.7e38])
def test_zeros_and_extremes_stay_finite_and_close(format, value):
    x = torch.full((5, 6), value)
    y = decode(encode(x, format), torch.float32)
    floor = 1e-4 / 448 if format == "fp8" else 0
    assert torch.isfinite(y).all() and torch.allclose(y, x, rtol=0.26, atol=floor)
    assert torch.equal(decode(encode(y, format), torch.float32), y)


@pytest.mark.parametrize("format", ["fp8", "fp4"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 3e38])
def test_nan_infinity_and_what_would_overflow_are_refused(format, bad):
    x = torch.zeros(4, 8)
    x[2, 3] = bad
    with pytest.raises(FormatError, match="1 of 32 weights are NaN"):
        encode(x, format)


def test_odd_width_is_refused_by_fp4_and_vectors_by_both():
    with pytest.raises(FormatError, match="even width"):
        encode(torch.zeros(2, 3), "fp4")
    with pytest.raises(FormatError, match="matrices"):
        encode(torch.zeros(4), "fp8")


def test_scales_of_the_wrong_shape_are_refused():
    fp8 = encode(torch.randn(200, 200), "fp8")
    with pytest.raises(FormatError, match="one for each 128x128 block"):
        decode(Stored(fp8.data, fp8.scale[:1]), torch.float32)


def test_scales_beyond_the_range_are_refused_rather_than_rounded():
    data = torch.full((1, 32), 448.0).to(torch.float8_e4m3fn)
    with pytest.raises(FormatError, match="overflow"):
        decode(Stored(data, torch.tensor([[254]], dtype=torch.uint8)), torch.float32)
    tiny = Stored(torch.tensor([[2.0**-9 * 3]]).to(torch.float8_e4m3fn), torch.tensor([[0]], dtype=torch.uint8))
    assert decode(tiny, torch.float32).item() == 3 * 2.0**-136
    with pytest.raises(FormatError, match="load in float32"):
        decode(tiny, torch.bfloat16)


@settings(max_examples=15, deadline=None)
@given(shapes, seeds, st.floats(0.1, 2.0))
def test_fp4_recast_to_fp8_changes_no_value(shape, seed, spread):
    fp4 = encode(random_matrix((shape[0], shape[1] * 2), seed, spread=spread), "fp4")
    fp8 = recast_fp4_to_fp8(fp4)
    assert fp8.format == "fp8"
    assert torch.equal(decode(fp8, torch.float32), decode(fp4, torch.float32))


def test_recast_takes_a_64th_of_the_largest_scale():
    fp4 = encode(torch.randn(256, 128).clamp(-3, 3), "fp4")
    largest = e8m0_bytes(fp4.scale).view(2, 128, 4).amax((1, 2)).int()
    assert torch.equal(e8m0_bytes(recast_fp4_to_fp8(fp4).scale).int().flatten(), largest - 6)


@pytest.mark.parametrize("apart, lossless", [(14, True), (15, False)])
def test_recast_refuses_exactly_when_it_would_lose(apart, lossless):
    x = torch.zeros(2, 64)
    x[0], x[1, :2] = 6.0, torch.tensor([6.0, 0.5]) * 2.0**-apart
    fp4 = encode(x, "fp4")
    if lossless:
        assert torch.equal(decode(recast_fp4_to_fp8(fp4), torch.float32), x)
    else:
        with pytest.raises(FormatError, match="1 of these 128"):
            recast_fp4_to_fp8(fp4)
    assert recast_fp4_to_fp8(encode(torch.zeros(3, 8), "fp4")).data.float().abs().max() == 0
