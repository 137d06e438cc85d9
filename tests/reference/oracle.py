"""Slow, plain reference implementations of event-study tests.

Purpose: an oracle for unit tests of a real library.  Loops, no cleverness.
numpy only; scipy is used for distribution functions and for the GARCH
optimiser.  Written from formulas, which docs/methods states
with their sources, not from the library's or anybody else's code.

Conventions
-----------
* an "event" is one firm-event; cross-section = list of events
* estimation window and event window are disjoint
* NaN = missing return.  Nothing is ever zero-filled.
* AR in the estimation window = in-sample OLS residual
* AR in the event window = out-of-sample prediction error
* every test returns dict(stat=, p=, dist=, df=...) and p is two-sided

Run   python tests/reference/oracle.py              self-check, R=1000 (about 15 minutes)
      python tests/reference/oracle.py --quick      R=200 (about 3 minutes)
      python tests/reference/oracle.py --only=S1,S4 --R=2000
      python tests/reference/oracle.py --garch      also the (slow) GARCH checks
"""
import math
import sys
import time
from itertools import combinations

import numpy as np
from scipy import optimize, stats

NAN = float("nan")


# --------------------------------------------------------------------------
# small helpers
# --------------------------------------------------------------------------
def two_sided_norm(z):
    return 2.0 * stats.norm.sf(abs(z))


def two_sided_t(t, df):
    return 2.0 * stats.t.sf(abs(t), df)


def mean(x):
    s, n = 0.0, 0
    for v in x:
        if not math.isnan(v):
            s += v
            n += 1
    return s / n if n else NAN


def var(x, ddof=1):
    m = mean(x)
    s, n = 0.0, 0
    for v in x:
        if not math.isnan(v):
            s += (v - m) ** 2
            n += 1
    return s / (n - ddof) if n > ddof else NAN


def count(x):
    return sum(1 for v in x if not math.isnan(v))


def average_ranks(x):
    """1..n ranks, ties get the average rank, NaN stays NaN."""
    x = np.asarray(x, float)
    out = np.full(len(x), NAN)
    idx = [i for i in range(len(x)) if not math.isnan(x[i])]
    idx.sort(key=lambda i: x[i])
    a = 0
    while a < len(idx):
        b = a
        while b + 1 < len(idx) and x[idx[b + 1]] == x[idx[a]]:
            b += 1
        for q in range(a, b + 1):
            out[idx[q]] = (a + b) / 2.0 + 1.0
        a = b + 1
    return out


# --------------------------------------------------------------------------
# A. normal-return models and prediction-error covariance
# --------------------------------------------------------------------------
def ols(y, X):
    """OLS by listwise deletion. X already contains the constant column."""
    y = np.asarray(y, float)
    X = np.asarray(X, float)
    keep = ~np.isnan(y) & ~np.isnan(X).any(axis=1)
    yy, XX = y[keep], X[keep]
    n, k = XX.shape
    XtXi = np.linalg.inv(XX.T @ XX)
    b = XtXi @ XX.T @ yy
    res = np.full(len(y), NAN)
    lev = np.full(len(y), NAN)
    res[keep] = yy - XX @ b
    lev[keep] = ((XX @ XtXi) * XX).sum(axis=1)
    nu = n - k
    s2 = np.nansum(res ** 2) / nu
    return dict(b=b, resid=res, lev=lev, s2=s2, nu=nu, n=n, k=k, XtXi=XtXi)


def design(F, T, model):
    """Design matrix.  model: 'mm'/'factor' (constant + factors) or 'mean'."""
    one = np.ones((T, 1))
    if model == "mean":
        return one
    F = np.asarray(F, float).reshape(T, -1)
    return np.hstack([one, F])


def build_event(r_est, F_est, r_evt, F_evt, model="mm",
                cal_est=None, cal_evt=None):
    """Fit on the estimation window, predict the event window.

    V = s2 (I + X* (X'X)^-1 X*')   (full prediction-error covariance).
    Rows/cols of V belonging to missing event days are NaN.
    """
    r_est = np.asarray(r_est, float)
    r_evt = np.asarray(r_evt, float)
    L1, L2 = len(r_est), len(r_evt)
    if model == "madj":                       # market-adjusted: nothing fitted
        m1 = np.asarray(F_est, float).reshape(L1, -1)[:, 0]
        m2 = np.asarray(F_evt, float).reshape(L2, -1)[:, 0]
        d = r_est - m1
        n = count(d)
        s2 = np.nansum(d ** 2) / n            # about zero: alpha is restricted
        ar = r_evt - m2
        V = s2 * np.eye(L2)
        res, lev, nu, k = d, np.zeros(L1), n, 0
    else:
        X1 = design(F_est, L1, model)
        X2 = design(F_evt, L2, model)
        f = ols(r_est, X1)
        ar = r_evt - X2 @ f["b"]
        V = f["s2"] * (np.eye(L2) + X2 @ f["XtXi"] @ X2.T)
        s2, nu, n, k, res, lev = (f["s2"], f["nu"], f["n"], f["k"],
                                  f["resid"], f["lev"])
    for t in range(L2):
        if math.isnan(ar[t]):
            V[t, :] = NAN
            V[:, t] = NAN
    return dict(ar_est=res, lev_est=lev, ar=ar, V=V, s2=s2, nu=nu, n=n, k=k,
                cal_est=np.arange(L1) if cal_est is None else np.asarray(cal_est),
                cal_evt=(np.arange(L1, L1 + L2) if cal_evt is None
                         else np.asarray(cal_evt)))


def car(ev, days, missing="partial"):
    """CAR, its prediction-error variance g'Vg, number of days used."""
    use = [d for d in days if not math.isnan(ev["ar"][d])]
    if not use or (missing == "drop" and len(use) < len(days)):
        return NAN, NAN, 0
    c = sum(ev["ar"][d] for d in use)
    v = 0.0
    for s in use:
        for t in use:
            v += ev["V"][s, t]
    return c, v, len(use)


def cars(events, days):
    return [car(e, days)[0] for e in events]


def scars(events, days):
    """SCAR_i = CAR_i / sqrt(g'V_i g)  ~ t(nu_i) under H0 and normality."""
    out = []
    for e in events:
        c, v, _ = car(e, days)
        out.append(c / math.sqrt(v) if v > 0 else NAN)
    return out


# --------------------------------------------------------------------------
# C. parametric tests
# --------------------------------------------------------------------------
def cross_sectional_t(events, days):
    x = cars(events, days)
    n = count(x)
    t = mean(x) / math.sqrt(var(x) / n)
    return dict(stat=t, p=two_sided_t(t, n - 1), dist="t", df=n - 1)


def independence_t(events, days):
    """Time-series variances, independence across firms (BW 1980 'no
    dependence', 'Serra' t, MacKinlay theta1): CAAR / sqrt(sum g'V_i g)/N."""
    x, v = [], []
    for e in events:
        c, w, m = car(e, days)
        if m:
            x.append(c)
            v.append(w)
    n = len(x)
    z = (sum(x) / n) / (math.sqrt(sum(v)) / n)
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None)


def estimation_aar(events):
    """AAR_t over relative estimation days (average of available firms)."""
    L1 = len(events[0]["ar_est"])
    return [mean([e["ar_est"][t] for e in events]) for t in range(L1)]


def cda_t(events, days):
    """Brown-Warner (1985) portfolio t, 'crude dependence adjustment'."""
    aar_est = estimation_aar(events)
    s = math.sqrt(var(aar_est, ddof=1))
    aar_evt = [mean([e["ar"][d] for e in events]) for d in days]
    T = count(aar_est)
    t = sum(aar_evt) / (math.sqrt(len(days)) * s)
    return dict(stat=t, p=two_sided_t(t, T - 1), dist="t", df=T - 1)


def portfolio_t(events, days):
    """Common event date only: equal-weighted portfolio prediction error.

    Exact t(nu) if all firms share dates and regressors and have no missing
    data: portfolio residuals are residuals of the portfolio regression, and
    g'V_p g = s2_p * (g'Vg / s2).
    """
    L1 = len(events[0]["ar_est"])
    res = [mean([e["ar_est"][t] for e in events]) for t in range(L1)]
    nu = events[0]["nu"]
    s2 = sum(v * v for v in res if not math.isnan(v)) / nu
    e0 = events[0]
    _, v0, _ = car(e0, days)
    scale = v0 / e0["s2"]
    c = mean(cars(events, days))
    t = c / math.sqrt(s2 * scale)
    return dict(stat=t, p=two_sided_t(t, nu), dist="t", df=nu)


def lamb_z(events, day, m_est, m_day):
    """Lamb (1995) as coded in R estudy2: sd of the estimation-window AAR times
    the market-model prediction-error factor; N(0,1)."""
    a = estimation_aar(events)
    s = math.sqrt(var(a, ddof=1))
    L1 = mean([float(e["n"]) for e in events])
    mb = mean(m_est)
    ss = sum((v - mb) ** 2 for v in m_est if not math.isnan(v))
    f = math.sqrt(1 + 1 / L1 + (m_day - mb) ** 2 / ss)
    z = mean([e["ar"][day] for e in events]) / (s * f)
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None)


def patell_z(events, days, variant="car"):
    """variant 'car'  : SCAR uses g'Vg        (recommended)
       variant 'orig' : sum_t SAR_t / sqrt(L) (Patell 1976, no cross-day cov)"""
    num, den = 0.0, 0.0
    for e in events:
        if variant == "car":
            c, v, m = car(e, days)
            if not m:
                continue
            x = c / math.sqrt(v)
        else:
            sar = [e["ar"][d] / math.sqrt(e["V"][d, d]) for d in days
                   if not math.isnan(e["ar"][d])]
            if not sar:
                continue
            x = sum(sar) / math.sqrt(len(sar))
        num += x
        den += e["nu"] / (e["nu"] - 2.0)
    z = num / math.sqrt(den)
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None)


def mean_cross_correlation(events, min_overlap=10):
    """Average pairwise Pearson correlation of estimation residuals, aligned on
    CALENDAR date.  Pairs with < min_overlap common days count as zero."""
    n = len(events)
    tot, pairs = 0.0, 0
    maps = []
    for e in events:
        maps.append({int(c): v for c, v in zip(e["cal_est"], e["ar_est"])
                     if not math.isnan(v)})
    for i in range(n):
        for j in range(i + 1, n):
            common = [c for c in maps[i] if c in maps[j]]
            pairs += 1
            if len(common) < min_overlap:
                continue
            a = np.array([maps[i][c] for c in common])
            b = np.array([maps[j][c] for c in common])
            tot += np.corrcoef(a, b)[0, 1]
    return tot / pairs


def adjusted_patell_z(events, days, rbar=None):
    """Z / sqrt(1 + (n-1) rbar).  NOT the BMP factor: Patell's variance is not
    estimated from the cross-section, so no (1 - rbar) in the numerator."""
    r = mean_cross_correlation(events) if rbar is None else rbar
    n = len(events)
    z = patell_z(events, days)["stat"] / math.sqrt(1 + (n - 1) * r)
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None, rbar=r)


def bmp_t(events, days):
    x = scars(events, days)
    n = count(x)
    t = mean(x) / math.sqrt(var(x) / n)
    return dict(stat=t, p=two_sided_t(t, n - 1), dist="t", df=n - 1)


def adjusted_bmp_t(events, days, rbar=None):
    """Kolari-Pynnonen (2010): BMP * sqrt((1 - r) / (1 + (n-1) r))."""
    r = mean_cross_correlation(events) if rbar is None else rbar
    n = len(events)
    t = bmp_t(events, days)["stat"] * math.sqrt((1 - r) / (1 + (n - 1) * r))
    return dict(stat=t, p=two_sided_t(t, n - 1), dist="t", df=n - 1, rbar=r)


def skewness(x):
    """Adjusted Fisher-Pearson G1 = n/((n-1)(n-2)) sum ((x-m)/s)^3."""
    m, s, n = mean(x), math.sqrt(var(x)), count(x)
    return n / ((n - 1.0) * (n - 2.0)) * sum(((v - m) / s) ** 3 for v in x
                                             if not math.isnan(v))


def johnson_t_from_moments(n, S, g):
    """S = mean/sd, g = skewness."""
    return math.sqrt(n) * (S + g * S ** 2 / 3.0 + g / (6.0 * n))


def johnson_t(events, days):
    x = cars(events, days)
    n = count(x)
    t = johnson_t_from_moments(n, mean(x) / math.sqrt(var(x)), skewness(x))
    return dict(stat=t, p=two_sided_norm(t), dist="norm", df=None)


def hall_t(events, days):
    """Hall (1992) monotone transformation: adds g^2 S^3 / 27."""
    x = cars(events, days)
    n = count(x)
    S, g = mean(x) / math.sqrt(var(x)), skewness(x)
    t = math.sqrt(n) * (S + g * S ** 2 / 3 + g ** 2 * S ** 3 / 27 + g / (6 * n))
    return dict(stat=t, p=two_sided_norm(t), dist="norm", df=None)


def lbt_bootstrap(x, rng, B=999, frac=0.25):
    """Lyon-Barber-Tsai (1999): bootstrapped Johnson t, resamples of size
    n*frac, centred at the sample mean.  Two-sided equal-tail p."""
    x = np.asarray([v for v in x if not math.isnan(v)])
    n = len(x)
    nb = max(int(n * frac), 4)
    t0 = johnson_t_from_moments(n, x.mean() / x.std(ddof=1), skewness(x))
    tb = []
    for _ in range(B):
        xb = x[rng.integers(0, n, nb)]
        sd = xb.std(ddof=1)
        if sd == 0:
            continue
        tb.append(johnson_t_from_moments(nb, (xb.mean() - x.mean()) / sd,
                                         skewness(xb)))
    tb = np.array(tb)
    lo = (1 + np.sum(tb <= t0)) / (len(tb) + 1.0)
    hi = (1 + np.sum(tb >= t0)) / (len(tb) + 1.0)
    return dict(stat=t0, p=min(1.0, 2 * min(lo, hi)), dist="bootstrap", df=None)


def jaffe_z(events, days):
    """Jaffe (1974)-style calendar-time test.  For each calendar date with at
    least one firm in its event window: portfolio AR of the active firms over
    the sd of the same firms' equal-weighted estimation residuals."""
    active = {}
    for i, e in enumerate(events):
        for d in days:
            if not math.isnan(e["ar"][d]):
                active.setdefault(int(e["cal_evt"][d]), []).append((i, d))
    z = []
    for c, lst in active.items():
        p = sum(events[i]["ar"][d] for i, d in lst) / len(lst)
        by_cal = {}
        for i, _ in lst:
            for cc, v in zip(events[i]["cal_est"], events[i]["ar_est"]):
                if not math.isnan(v):
                    by_cal.setdefault(int(cc), []).append(v)
        full = [sum(v) / len(v) for v in by_cal.values() if len(v) == len(lst)]
        if len(full) > 10:
            s2 = sum(v * v for v in full) / (len(full) - events[0]["k"])
        else:                       # no common estimation dates: independence
            s2 = sum(events[i]["s2"] for i, _ in lst) / len(lst) ** 2
        z.append(p / math.sqrt(s2))
    T = len(z)
    stat = sum(z) / math.sqrt(T)
    return dict(stat=stat, p=two_sided_norm(stat), dist="norm", df=None, T=T)


def mvrm_tests(R, X, D):
    """Common event date: multivariate regression with an event dummy.

    R (T x N) returns, X (T x k0) common regressors incl. constant,
    D (T,) dummy (1/L on L event days if the coefficient should be the CAR sum;
    here the coefficient is the average daily AR over the days with D=1).
    Returns Hotelling F of H0: all gamma_i = 0, and t of mean gamma.
    """
    T, N = R.shape
    Z = np.hstack([X, D.reshape(-1, 1)])
    k = Z.shape[1]
    ZtZi = np.linalg.inv(Z.T @ Z)
    B = ZtZi @ Z.T @ R
    U = R - Z @ B
    nu = T - k
    S = U.T @ U / nu
    c = ZtZi[-1, -1]
    g = B[-1]
    T2 = g @ np.linalg.solve(S, g) / c
    df2 = nu - N + 1
    F = T2 * df2 / (N * nu) if df2 > 0 else NAN
    w = np.ones(N) / N
    t = (w @ g) / math.sqrt(c * (w @ S @ w))
    return dict(F=F, pF=stats.f.sf(F, N, df2) if df2 > 0 else NAN, df=(N, df2),
                t=t, pt=two_sided_t(t, nu), nu=nu)


# ------------------------------ GARCH -------------------------------------
def garch_filter(e, omega, a, b, g=0.0, d=0.0, D=None, h0=None):
    h = np.empty(len(e))
    h[0] = np.mean(e ** 2) if h0 is None else h0
    if D is not None:
        h[0] += d * D[0]
    for t in range(1, len(e)):
        h[t] = omega + a * e[t - 1] ** 2 + b * h[t - 1]
        if e[t - 1] < 0:
            h[t] += g * e[t - 1] ** 2
        if D is not None:
            h[t] += d * D[t]
    return h


def garch_fit(y, X, D=None, gjr=False):
    """Gaussian QML market model with GARCH(1,1)/GJR errors.

    D (optional): event dummy entering mean (coef gam) and variance (coef d).
    NOTE with a ONE-day dummy the likelihood is unbounded (residual is fitted
    exactly, so h -> 0 on that day); use multi-day dummies.
    """
    sc = 1.0 / np.std(y)
    y = np.asarray(y) * sc
    X = np.asarray(X, float)
    k = X.shape[1]
    Z = X if D is None else np.hstack([X, np.asarray(D, float).reshape(-1, 1)])
    b0 = np.linalg.lstsq(Z, y, rcond=None)[0]
    v0 = np.var(y - Z @ b0)
    th0 = list(b0) + [0.1 * v0, 0.08, 0.82] + ([0.02] if gjr else []) \
        + ([0.0] if D is not None else [])
    nb = Z.shape[1]

    def unpack(th):
        om, a, b = th[nb], th[nb + 1], th[nb + 2]
        i = nb + 3
        g = 0.0
        if gjr:
            g = th[i]
            i += 1
        d = th[i] if D is not None else 0.0
        return om, a, b, g, d

    def nll(th):
        e = y - Z @ th[:nb]
        om, a, b, g, d = unpack(th)
        if a + b + g / 2 >= 0.9999:
            return 1e6
        h = garch_filter(e, om, a, b, g, d, D, v0)
        if np.any(h <= 1e-8):
            return 1e6
        return 0.5 * np.sum(np.log(h) + e * e / h)

    bounds = [(None, None)] * nb + [(1e-6, None), (0, 0.6), (0, 0.998)] \
        + ([(-0.2, 0.6)] if gjr else []) + ([(-0.5 * v0, 50 * v0)] if D is not None else [])
    r = optimize.minimize(nll, th0, method="L-BFGS-B", bounds=bounds)
    th = r.x
    e = y - Z @ th[:nb]
    om, a, b, g, d = unpack(th)
    h = garch_filter(e, om, a, b, g, d, D, v0)
    nxt = om + (a + (g if e[-1] < 0 else 0.0)) * e[-1] ** 2 + b * h[-1]
    return dict(b=th[:nb] / sc, omega=om / sc ** 2, alpha=a, beta=b, gjr=g,
                d=d / sc ** 2, h=h / sc ** 2, e=e / sc, h_next=nxt / sc ** 2,
                ll=-r.fun, ok=r.success, k=k)


def garch_forecast(fit, steps):
    """E[h_{T+s}], s=1..steps (GJR uses a + b + g/2 persistence after step 1)."""
    p = fit["alpha"] + fit["beta"] + fit["gjr"] / 2.0
    h = [fit["h_next"]]
    for _ in range(1, steps):
        h.append(fit["omega"] + p * h[-1])
    return np.array(h)


def savickas_t(fits, day_index):
    """fits: garch_fit(..., D=multi-day dummy) per firm; S_i = gam_i/sqrt(h_i0);
    cross-sectional t with N-1 df."""
    s = [f["b"][-1] / math.sqrt(f["h"][day_index]) for f in fits]
    n = len(s)
    t = mean(s) / math.sqrt(var(s) / n)
    return dict(stat=t, p=two_sided_t(t, n - 1), dist="t", df=n - 1)


def garch_bmp_t(std_ars):
    """Bacmann-Dubois style: BMP on AR / sqrt(GARCH forecast variance)."""
    n = count(std_ars)
    t = mean(std_ars) / math.sqrt(var(std_ars) / n)
    return dict(stat=t, p=two_sided_t(t, n - 1), dist="t", df=n - 1)


# --------------------------------------------------------------------------
# D. non-parametric tests
# --------------------------------------------------------------------------
def sign_test(events, days):
    x = [v for v in cars(events, days) if not math.isnan(v) and v != 0]
    n = len(x)
    w = sum(1 for v in x if v > 0)
    z = (w - 0.5 * n) / (0.5 * math.sqrt(n))
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None,
                p_exact=stats.binomtest(w, n, 0.5).pvalue)


def generalized_sign(events, days):
    x = [v for v in cars(events, days) if not math.isnan(v)]
    n = len(x)
    w = sum(1 for v in x if v > 0)
    ph = 0.0
    for e in events:
        a = [v for v in e["ar_est"] if not math.isnan(v)]
        ph += sum(1 for v in a if v > 0) / len(a)
    ph /= len(events)
    z = (w - n * ph) / math.sqrt(n * ph * (1 - ph))
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None, phat=ph)


def wilcoxon(events, days):
    """Signed-rank of the cross-section of CAR_i (one number per firm)."""
    x = [v for v in cars(events, days) if not math.isnan(v) and v != 0]
    n = len(x)
    rk = average_ranks([abs(v) for v in x])
    wp = sum(r for r, v in zip(rk, x) if v > 0)
    ties = {}
    for r in rk:
        ties[r] = ties.get(r, 0) + 1
    vv = n * (n + 1) * (2 * n + 1) / 24.0 - sum(c ** 3 - c for c in ties.values()) / 48.0
    z = (wp - n * (n + 1) / 4.0) / math.sqrt(vv)
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None, W=wp)


def scaled_ranks(series):
    """K/(M+1) - 1/2 with M the number of non-missing values of that firm."""
    k = average_ranks(series)
    M = count(series)
    return k / (M + 1.0) - 0.5


def rank_sd(U):
    """U: list (firms) of arrays over the same T columns. Returns S and Ubar_t.
    S^2 = (1/T) sum_t (n_t/n) Ubar_t^2."""
    n = len(U)
    T = len(U[0])
    ub, acc, tt = [], 0.0, 0
    for t in range(T):
        col = [U[i][t] for i in range(n)]
        m = mean(col)
        ub.append(m)
        if not math.isnan(m):
            acc += count(col) / n * m * m
            tt += 1
    return math.sqrt(acc / tt), ub, tt


def corrado_rank(events, days, fpc=False):
    """Corrado (1989)/Corrado-Zivney missing-data form; multi-day = Cowan (1992)
    /Campbell-Wasley (1993): sqrt(L) * mean_t(Ubar_t) / S.
    fpc=True multiplies by sqrt((T-1)/(T-L)) (ranks are drawn without
    replacement, so their sum has variance L(T-L)/(T-1) S^2, not L S^2)."""
    U = [scaled_ranks(np.concatenate([e["ar_est"], e["ar"]])) for e in events]
    S, ub, T = rank_sd(U)
    L1 = len(events[0]["ar_est"])
    w = [ub[L1 + d] for d in days]
    L = len(days)
    z = sum(w) / (math.sqrt(L) * S)
    if fpc:
        z *= math.sqrt((T - 1.0) / (T - L))
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None)


def _est_sar(e, how):
    s = math.sqrt(e["s2"])
    if how == "sigma":
        return e["ar_est"] / s
    if how == "studentized":
        return e["ar_est"] / (s * np.sqrt(1.0 - e["lev_est"]))
    return e["ar_est"] / (s * np.sqrt(1.0 + e["lev_est"]))     # 'forecast'


def corrado_zivney_rank(events, day, how="sigma"):
    """Event-induced-variance rank test: on the event day SAR is divided by its
    cross-sectional sd before ranking with the estimation SARs."""
    sar0 = [e["ar"][day] / math.sqrt(e["V"][day, day]) for e in events]
    cs = math.sqrt(var(sar0))
    U = [scaled_ranks(np.append(_est_sar(e, how), v / cs))
         for e, v in zip(events, sar0)]
    S, ub, _ = rank_sd(U)
    z = ub[-1] / S
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None)


def corrado_zivney_sign(events, day):
    """Corrado-Zivney (1992) sign test: G = sign(AR - median)."""
    G = []
    for e in events:
        a = np.concatenate([e["ar_est"], [e["ar"][day]]])
        G.append(np.sign(a - np.nanmedian(a)))
    T = len(G[0])
    col = []
    for t in range(T):
        g = [G[i][t] for i in range(len(G)) if not math.isnan(G[i][t])]
        col.append(sum(g) / math.sqrt(len(g)) if g else NAN)
    S = math.sqrt(mean([c * c for c in col]))
    z = col[-1] / S
    return dict(stat=z, p=two_sided_norm(z), dist="norm", df=None)


def grank(events, days, how="sigma", r_for_scale=0.0):
    """GRANK-T and GRANK-Z (Kolari-Pynnonen 2011).

    set T = estimation days + one 'cumulated event day' (index 0).
    r_for_scale: rbar used to un-shrink the cross-sectional sd under clustering
    (S_SCAR estimates sigma*sqrt(1-r)); 0 = plain.
    """
    sc = scars(events, days)
    n = count(sc)
    S_sc = math.sqrt(var(sc)) / math.sqrt(1.0 - r_for_scale)
    U, vz = [], 0.0
    for e, v in zip(events, sc):
        g = np.append(_est_sar(e, how), v / S_sc)
        U.append(scaled_ranks(g))
        Ti = count(g)
        vz += (Ti - 1.0) / (12.0 * (Ti + 1.0))
    S, ub, T = rank_sd(U)
    Z = ub[-1] / S
    inside = T - 1.0 - Z * Z
    t = Z * math.sqrt((T - 2.0) / inside) if inside > 0 else math.copysign(1e9, Z)
    zz = ub[-1] / (math.sqrt(vz) / n)
    return dict(stat=t, p=two_sided_t(t, T - 2), dist="t", df=T - 2, Z=Z,
                grank_z=zz, p_z=two_sided_norm(zz))


def cumrank(events, days, restandardize=False):
    """Cumulated ranks with exact without-replacement variance.

    Z: independent firms.  T: time-series estimate of Var(Ubar_t) (clustering).
    restandardize=True divides event-day SARs by their cross-sectional sd.
    """
    L1 = len(events[0]["ar_est"])
    L2 = len(events[0]["ar"])
    cs = [1.0] * L2
    if restandardize:
        for d in range(L2):
            cs[d] = math.sqrt(var([e["ar"][d] / math.sqrt(e["V"][d, d]) for e in events]))
    U = []
    for e in events:
        evt = np.array([e["ar"][d] / math.sqrt(e["V"][d, d]) / cs[d] for d in range(L2)])
        U.append(scaled_ranks(np.concatenate([_est_sar(e, "sigma"), evt])))
    n = len(U)
    tau = len(days)
    tot, vz = 0.0, 0.0
    for i in range(n):
        u = [U[i][L1 + d] for d in days if not math.isnan(U[i][L1 + d])]
        Ti = count(U[i])
        tot += sum(u)
        vz += len(u) * (Ti - len(u)) / (12.0 * (Ti + 1.0))
    z = tot / math.sqrt(vz)
    S, ub, T = rank_sd(U)
    Z2 = (tot / n) / (S * math.sqrt(tau * (T - tau) / (T - 1.0)))
    inside = T - 1.0 - Z2 * Z2
    t = Z2 * math.sqrt((T - 2.0) / inside) if inside > 0 else math.copysign(1e9, Z2)
    return dict(stat=t, p=two_sided_t(t, T - 2), dist="t", df=T - 2, Z=Z2,
                cumrank_z=z, p_z=two_sided_norm(z))


def jackknife(x, func=mean):
    """Delete-one jackknife t for a cross-sectional statistic (pseudo-values).
    With func=mean it is algebraically the cross-sectional t."""
    x = [v for v in x if not math.isnan(v)]
    n = len(x)
    full = func(x)
    ps = [n * full - (n - 1) * func(x[:i] + x[i + 1:]) for i in range(n)]
    t = mean(ps) / math.sqrt(var(ps) / n)
    return dict(stat=t, p=two_sided_t(t, n - 1), dist="t", df=n - 1)


# --------------------------------------------------------------------------
# E. (two resampling tests that matter for F and G)
# --------------------------------------------------------------------------
def wild_bootstrap_caar(events, days, rng, B=499):
    """Rademacher signs on CAR_i (null imposed by NOT recentring), t-stat."""
    x = np.array([v for v in cars(events, days) if not math.isnan(v)])
    n = len(x)
    t0 = abs(x.mean() / (x.std(ddof=1) / math.sqrt(n)))
    hit = 0
    for _ in range(B):
        y = x * rng.choice([-1.0, 1.0], n)
        if abs(y.mean() / (y.std(ddof=1) / math.sqrt(n))) >= t0:
            hit += 1
    return dict(stat=t0, p=(1 + hit) / (B + 1.0), dist="boot", df=None)


def portfolio_rank_p(events, days):
    """Clustered date: SQ/randomisation test on the portfolio. Compare the
    event CAAR with all overlapping L-day sums of the estimation-window AAR."""
    a = estimation_aar(events)
    L = len(days)
    pool = [sum(a[s:s + L]) for s in range(len(a) - L + 1)]
    c = mean(cars(events, days))
    hit = sum(1 for v in pool if abs(v) >= abs(c))
    return dict(stat=c, p=(1 + hit) / (len(pool) + 1.0), dist="rank", df=None)


# --------------------------------------------------------------------------
# F. one firm, one event
# --------------------------------------------------------------------------
def single_t(ev, days):
    c, v, _ = car(ev, days)
    t = c / math.sqrt(v)
    return dict(stat=t, p=two_sided_t(t, ev["nu"]), dist="t", df=ev["nu"],
                ci=(c - stats.t.ppf(.975, ev["nu"]) * math.sqrt(v),
                    c + stats.t.ppf(.975, ev["nu"]) * math.sqrt(v)))


def sq_test(ev, day, side="two", scaled=True):
    """Gelbach-Helland-Klick sample-quantile test as an exact-rank p-value.
    scaled=True compares AR_0/sqrt(1+h_0) with e_t/sqrt(1-h_t)."""
    s2 = ev["s2"]
    if scaled:
        x0 = ev["ar"][day] / math.sqrt(ev["V"][day, day] / s2)
        pool = [v / math.sqrt(1 - h) for v, h in zip(ev["ar_est"], ev["lev_est"])
                if not math.isnan(v)]
    else:
        x0 = ev["ar"][day]
        pool = [v for v in ev["ar_est"] if not math.isnan(v)]
    n = len(pool)
    if side == "lower":
        k = sum(1 for v in pool if v <= x0)
    elif side == "upper":
        k = sum(1 for v in pool if v >= x0)
    else:
        k = sum(1 for v in pool if abs(v) >= abs(x0))
    return dict(stat=x0, p=(1 + k) / (n + 1.0), dist="rank", df=n)


def ewma_sd(series, decay=0.94, start=20):
    """Volatility of each day from the days before it, and last that of the day after the last."""
    first = [v for v in series if not math.isnan(v)][:start]
    h = sum(v * v for v in first) / max(len(first), 1)
    out = []
    for v in series:
        out.append(math.sqrt(h))
        if not math.isnan(v):
            h = decay * h + (1 - decay) * v * v
    return out + [math.sqrt(h)]


def filtered_portfolio(events, days, gap=None, n_before=0):
    """Events of one date: mean CAR over its forecast sd, the past blocks over theirs, and their spread.

    gap: abnormal returns between estimation and event window, one list an event.
    n_before: days at the head of the event window that belong to the past.
    """
    past = []
    for i, e in enumerate(events):
        own = [v / math.sqrt(1 - h) if not math.isnan(v) else NAN for v, h in zip(e["ar_est"], e["lev_est"])]
        own += list(gap[i]) if gap is not None else []
        past.append(own + [e["ar"][d] for d in range(n_before)])
    series = [mean([p[t] for p in past]) for t in range(len(past[0]))]
    vol = ewma_sd(series)
    kept = [(v, s) for v, s in zip(series, vol) if not math.isnan(v)]
    L = sorted(car(e, days)[2] for e in events)[len(events) // 2]
    widened = mean([car(e, days)[1] / e["s2"] for e in events])
    scale = vol[-1] * math.sqrt(widened)
    pool, first = [], len(kept) % L
    for b in range(first, len(kept), L):
        pool.append(sum(v for v, _ in kept[b:b + L]) / (math.sqrt(L) * kept[b][1]))
    every = [sum(v for v, _ in kept[b:b + L]) / kept[b][1] for b in range(len(kept) - L + 1)]
    spread = math.sqrt(mean([v * v for v in every]) / L)
    return dict(caar=mean(cars(events, days)), scale=scale, pool=pool, spread=spread, n=len(events), L=L)


def filtered_tests(groups):
    """groups: filtered_portfolio of each date, dates whose windows share no day. Rank or Stouffer, and t."""
    n = sum(g["n"] for g in groups)
    w = [g["n"] / n for g in groups]
    part = [a * g["scale"] * g["spread"] for a, g in zip(w, groups)]
    se = math.sqrt(sum(v * v for v in part))
    dof = [len(g["pool"]) * (1.5 if max(h["L"] for h in groups) > 1 else 1) - 1 for g in groups]
    df = sum(v * v for v in part) ** 2 / sum(v ** 4 / d for v, d in zip(part, dof))
    t = sum(a * g["caar"] for a, g in zip(w, groups)) / se
    if len(groups) == 1:
        g = groups[0]
        x = g["caar"] / g["scale"]
        p = (1 + sum(1 for v in g["pool"] if abs(v) >= abs(x))) / (len(g["pool"]) + 1.0)
        rank = dict(stat=x, p=p)
    else:
        z = 0.0
        for a, g in zip(w, groups):
            x = g["caar"] / g["scale"]
            below = sum(1 for v in g["pool"] if v < x) + 0.5 * sum(1 for v in g["pool"] if v == x)
            z += a * g["scale"] * stats.norm.ppf((below + 0.5) / (len(g["pool"]) + 1))
        z /= math.sqrt(sum((a * g["scale"]) ** 2 for a, g in zip(w, groups)))
        rank = dict(stat=z, p=two_sided_norm(z))
    return rank, dict(stat=t, p=two_sided_t(t, df), df=df)


def filtered_bmp(events, days, gap=None, n_before=0):
    """BMP t of the events over its usual size before, both as normal scores; arguments of filtered_portfolio."""
    def t_of(x):
        x = [v for v in x if not math.isnan(v)]
        return (mean(x) / math.sqrt(var(x) / len(x)), len(x) - 1) if len(x) > 1 else (NAN, 1)

    def score(found, shared=1):
        t, nu = found[0] / scale_of(found[1] + 1, shared), found[1]
        return math.copysign((8 * nu + 1) / (8 * nu + 3) * math.sqrt(nu * math.log(1 + t * t / nu)), t)

    def scale_of(n, shared):
        if scale <= 1:
            return scale
        r = shared * (scale**2 - 1) / (scale**2 + usual_n - 1)
        return math.sqrt((1 + (n - 1) * r) / (1 - r))

    past = []
    for i, e in enumerate(events):
        own = [v / math.sqrt(1 - h) if not math.isnan(v) else NAN for v, h in zip(e["ar_est"], e["lev_est"])]
        own += (list(gap[i]) if gap is not None else []) + [e["ar"][d] for d in range(n_before)]
        past.append([v / math.sqrt(e["s2"]) for v in own])
    daily = [t_of([p[t] for p in past]) for t in range(len(past[0]))]
    sizes = sorted(abs(t) / stats.t.ppf(0.75, nu) for t, nu in daily if not math.isnan(t))
    scale = sizes[(len(sizes) - 1) // 2]
    usual_n = sorted(nu + 1 for t, nu in daily if not math.isnan(t))[(len(sizes) - 1) // 2]
    vol = ewma_sd([score(found) for found in daily])
    L = sorted(car(e, days)[2] for e in events)[len(events) // 2]
    ratios = []
    for b in range(len(past[0]) - L + 1):
        kept = [[t for t in range(b, b + L) if not math.isnan(p[t])] for p in past]
        sums = [sum(p[t] for t in own) / math.sqrt(len(own)) for p, own in zip(past, kept) if own]
        known = [set(own) for own in kept if own]
        alike = [len(x & y) / math.sqrt(len(x) * len(y)) for x, y in combinations(known, 2)]
        ratios.append((score(t_of(sums), mean(alike)) / vol[b]) ** 2)
    usual = vol[-1] * math.sqrt(mean(ratios))
    t = score(t_of(scars(events, days))) / usual
    df = len(sizes) // L * (1.5 if L > 1 else 1) - 1
    return dict(stat=t, p=two_sided_t(t, df), df=df)


def filtered_rank(events, days, gap=None, n_before=0):
    """Sum of the t(5) scores of tested days ranked among past ones; arguments of filtered_portfolio."""
    total = variance = 0.0
    for i, e in enumerate(events):
        past = [v / math.sqrt(1 - h) if not math.isnan(v) else NAN for v, h in zip(e["ar_est"], e["lev_est"])]
        past += (list(gap[i]) if gap is not None else []) + [e["ar"][d] for d in range(n_before)]
        vol = ewma_sd(past)
        q = [v / s for v, s in zip(past, vol) if not math.isnan(v)]
        x = [e["ar"][d] / (vol[-1] * math.sqrt(e["V"][d, d] / e["s2"])) for d in days]
        x = [v for v in x if not math.isnan(v)]
        T = len(q) + len(x)
        rank = [sum(w < v for w in q + x) + (1 + sum(w == v for w in q + x)) / 2 for v in x]
        total += sum(stats.t.ppf(k / (T + 1), 5) for k in rank)
        all_squares = mean([stats.t.ppf(k / (T + 1), 5) ** 2 for k in range(1, T + 1)])
        variance += len(x) * (T - len(x)) / (T - 1) * all_squares
    z = total / math.sqrt(variance)
    return dict(stat=z, p=two_sided_norm(z), df=None)


def date_means_t(groups, days):
    """Ibragimov-Mueller (2010): t of the mean CAR of each date."""
    x = [mean(cars(events, days)) for events in groups]
    t = mean(x) / math.sqrt(var(x) / len(x))
    return dict(stat=t, p=two_sided_t(t, len(x) - 1), df=len(x) - 1)


def conformal_full(r, X, event_rows):
    """Full conformal / CWZ with H0: AR=0 imposed: refit on ALL rows, compare
    |sum of residuals over the event block| with every moving block."""
    f = ols(r, X)
    u = f["resid"]
    L = len(event_rows)
    s0 = abs(sum(u[i] for i in event_rows))
    T = len(u)
    stat = []
    for s in range(T):                         # circular moving blocks
        stat.append(abs(sum(u[(s + j) % T] for j in range(L))))
    return dict(stat=s0, p=sum(1 for v in stat if v >= s0 - 1e-15) / T,
                dist="perm", df=T)


def garch_single(r_est, X_est, r_day, x_day, gjr=False):
    """AR_0 / sqrt(one-step GARCH variance); p from N(0,1) and from the ranks of
    the standardised residuals (filtered SQ)."""
    f = garch_fit(r_est, X_est, gjr=gjr)
    ar = r_day - np.asarray(x_day) @ f["b"]
    z = ar / math.sqrt(f["h_next"])
    zs = f["e"] / np.sqrt(f["h"])
    k = int(np.sum(np.abs(zs) >= abs(z)))
    return dict(stat=z, p=two_sided_norm(z), p_rank=(1 + k) / (len(zs) + 1.0))


def bootstrap_interval(r_est, X_est, r_day, x_day, rng, B=999, level=0.95):
    """Residual bootstrap interval for a one-day AR (percentile-t).

    Re-creates estimation data, refits, and adds a fresh residual draw on the
    event day, so both noise and parameter error are in the interval."""
    f = ols(r_est, X_est)
    e = np.array([v / math.sqrt(1 - h) for v, h in zip(f["resid"], f["lev"])])
    e = e - e.mean()
    fitted = X_est @ f["b"]
    x_day = np.asarray(x_day, float)
    ar = r_day - x_day @ f["b"]
    se = math.sqrt(f["s2"] * (1 + x_day @ f["XtXi"] @ x_day))
    q = []
    for _ in range(B):
        yb = fitted + e[rng.integers(0, len(e), len(e))]
        fb = ols(yb, X_est)
        y0 = x_day @ f["b"] + e[rng.integers(0, len(e))]
        seb = math.sqrt(fb["s2"] * (1 + x_day @ fb["XtXi"] @ x_day))
        q.append((y0 - x_day @ fb["b"]) / seb)
    lo, hi = np.quantile(q, [(1 - level) / 2, (1 + level) / 2])
    t0 = ar / se
    p = (1 + sum(1 for v in q if abs(v) >= abs(t0))) / (B + 1.0)
    return dict(stat=ar, ci=(ar - hi * se, ar - lo * se), p=p)


def power_t(effect, se, nu, alpha=0.05):
    """Exact two-sided power of the t test via the noncentral t."""
    c = stats.t.ppf(1 - alpha / 2, nu)
    d = effect / se
    return stats.nct.sf(c, nu, d) + stats.nct.cdf(-c, nu, d)


def power_norm(effect, sd, n, alpha=0.05):
    """MacKinlay-style analytic power for a CAAR with known sd per firm."""
    c = stats.norm.ppf(1 - alpha / 2)
    d = effect * math.sqrt(n) / sd
    return stats.norm.sf(c - d) + stats.norm.cdf(-c - d)


def mde(se, nu, alpha=0.05, power=0.8):
    lo, hi = 0.0, 50.0 * se
    for _ in range(80):
        m = (lo + hi) / 2
        if power_t(m, se, nu, alpha) < power:
            lo = m
        else:
            hi = m
    return (lo + hi) / 2


# --------------------------------------------------------------------------
# self-check
# --------------------------------------------------------------------------
def simulate(rng, N=30, L1=120, L2=11, rho=0.0, evt_var=1.0, df=None,
             clustered=False, miss=0.0, evt_days=None, evt_common=1.0):
    """Null panel. returns list of events and raw arrays (clustered case)."""
    evs, raw = [], []
    T = L1 + L2

    def draw(shape):
        if df is None:
            return rng.standard_normal(shape)
        return rng.standard_t(df, shape) / math.sqrt(df / (df - 2.0))

    if clustered:
        m = 0.01 * draw(T)
        f = draw(T)
        for d in (range(L2) if evt_days is None else evt_days):
            f[L1 + d] *= math.sqrt(evt_common)
    for i in range(N):
        if not clustered:
            m = 0.01 * draw(T)
        sig = 0.01 + 0.02 * rng.random()
        u = draw(T)
        if clustered:
            u = math.sqrt(rho) * f + math.sqrt(1 - rho) * u
        days = range(L2) if evt_days is None else evt_days
        for d in days:
            u[L1 + d] *= math.sqrt(evt_var)
        r = 0.0003 + (0.5 + rng.random()) * m + sig * u
        if miss > 0:
            r[rng.random(T) < miss] = NAN
        off = 0 if clustered else i * 10 * T
        evs.append(build_event(r[:L1], m[:L1], r[L1:], m[L1:],
                               cal_est=off + np.arange(L1),
                               cal_evt=off + np.arange(L1, T)))
        raw.append((r, m.copy()))
    return evs, raw


def battery(evs, raw, days, rng, clustered, heavy=True):
    d0 = days[len(days) // 2]
    r = mean_cross_correlation(evs)
    out = {}
    out["cross-sectional t"] = cross_sectional_t(evs, days)["p"]
    out["independence z (BW80/MacKinlay)"] = independence_t(evs, days)["p"]
    out["CDA / BW85 portfolio t"] = cda_t(evs, days)["p"]
    out["Patell Z (g'Vg)"] = patell_z(evs, days)["p"]
    out["Patell Z (orig, sum SAR/sqrt L)"] = patell_z(evs, days, "orig")["p"]
    out["adjusted Patell"] = adjusted_patell_z(evs, days, r)["p"]
    out["BMP"] = bmp_t(evs, days)["p"]
    out["adjusted BMP (KP2010)"] = adjusted_bmp_t(evs, days, r)["p"]
    out["Johnson skew-adj"] = johnson_t(evs, days)["p"]
    out["Hall skew-adj"] = hall_t(evs, days)["p"]
    out["Jaffe calendar Z"] = jaffe_z(evs, days)["p"]
    out["sign (exact binomial)"] = sign_test(evs, days)["p_exact"]
    out["generalized sign"] = generalized_sign(evs, days)["p"]
    out["Wilcoxon"] = wilcoxon(evs, days)["p"]
    out["Corrado rank (Cowan multi-day)"] = corrado_rank(evs, days)["p"]
    out["Corrado rank with f.p.c."] = corrado_rank(evs, days, True)["p"]
    if len(days) == 1:
        out["Corrado-Zivney rank"] = corrado_zivney_rank(evs, d0)["p"]
        out["Corrado-Zivney sign"] = corrado_zivney_sign(evs, d0)["p"]
    g = grank(evs, days)
    out["GRANK-T"] = g["p"]
    out["GRANK-Z"] = g["p_z"]
    if clustered:
        out["GRANK-T, sd unshrunk by rbar"] = grank(evs, days, r_for_scale=max(r, 0))["p"]
    c = cumrank(evs, days)
    out["CUMRANK-T"] = c["p"]
    out["CUMRANK-Z"] = c["p_z"]
    if heavy:
        out["wild bootstrap"] = wild_bootstrap_caar(evs, days, rng, 199)["p"]
    out["portfolio pseudo-date rank"] = portfolio_rank_p(evs, days)["p"]
    if clustered:
        out["portfolio t with PE"] = portfolio_t(evs, days)["p"]
        if len(days) == 1:
            L1 = len(evs[0]["ar_est"])
            R = np.column_stack([x[0] for x in raw])[:L1 + 1 + d0]
            R = np.vstack([R[:L1], R[L1 + d0]])
            m = np.append(raw[0][1][:L1], raw[0][1][L1 + d0])
            X = np.column_stack([np.ones(L1 + 1), m])
            D = np.zeros(L1 + 1)
            D[-1] = 1.0
            q = mvrm_tests(R, X, D)
            out["MVRM t (mean gamma)"] = q["pt"]
            out["MVRM Hotelling F"] = q["pF"]
    # single firm
    e = evs[0]
    out["single firm t"] = single_t(e, days)["p"]
    if len(days) == 1:
        out["single firm SQ (scaled)"] = sq_test(e, d0)["p"]
        out["single firm SQ (raw resid)"] = sq_test(e, d0, scaled=False)["p"]
        L1 = len(e["ar_est"])
        rr = np.append(raw[0][0][:L1], raw[0][0][L1 + d0])
        mm = np.append(raw[0][1][:L1], raw[0][1][L1 + d0])
        out["single firm conformal"] = conformal_full(
            rr, np.column_stack([np.ones(L1 + 1), mm]), [L1])["p"]
    return out


def run_scenario(name, R, seed, days, **kw):
    rng = np.random.default_rng(seed)
    hit, n = {}, 0
    t0 = time.time()
    for _ in range(R):
        evs, raw = simulate(rng, **kw)
        ps = battery(evs, raw, days, rng, kw.get("clustered", False),
                     heavy=(R <= 2000))
        for k, p in ps.items():
            hit[k] = hit.get(k, 0) + (1 if p <= 0.05 else 0)
        n += 1
    print("\n== %s   (R=%d, L=%d, %.0fs)" % (name, n, len(days), time.time() - t0))
    for k in hit:
        print("   %-36s %6.1f%%" % (k, 100.0 * hit[k] / n))
    sys.stdout.flush()
    return {k: v / n for k, v in hit.items()}, n


def unit_identities():
    rng = np.random.default_rng(7)
    # 1. prediction-error covariance: V equals the dummy-variable regression
    T, L2 = 60, 3
    m = rng.standard_normal(T + L2)
    y = 0.1 + 0.8 * m + rng.standard_normal(T + L2)
    ev = build_event(y[:T], m[:T], y[T:], m[T:])
    X = np.column_stack([np.ones(T + L2), m] +
                        [np.eye(T + L2)[:, T + j] for j in range(L2)])
    XtXi = np.linalg.inv(X.T @ X)
    b = XtXi @ X.T @ y
    res = y - X @ b
    s2 = res @ res / (T + L2 - X.shape[1])
    assert np.allclose(b[2:], ev["ar"]), "dummy coefficients are the ARs"
    assert np.allclose(s2 * XtXi[2:, 2:], ev["V"]), "and their covariance is V"
    # 2. closed form of g'Vg for the market model
    days = [0, 1, 2]
    mb = m[:T].mean()
    ss = ((m[:T] - mb) ** 2).sum()
    L = 3
    cf = ev["s2"] * (L + L ** 2 / T + (m[T:] - mb).sum() ** 2 / ss)
    assert np.isclose(cf, car(ev, days)[1])
    # 3. jackknife of the mean == cross-sectional t
    x = list(rng.standard_normal(25))
    t = mean(x) / math.sqrt(var(x) / 25)
    assert np.isclose(jackknife(x)["stat"], t)
    # 4. GRANK t-transform is the exact t of one obs against the rest when the
    #    vector has mean zero
    u = rng.standard_normal(50)
    u -= u.mean()
    S = math.sqrt((u ** 2).mean())
    Z = u[-1] / S
    tt = Z * math.sqrt((50 - 2) / (50 - 1 - Z * Z))
    rest = u[:-1]
    direct = (u[-1] - rest.mean()) / (rest.std(ddof=1) * math.sqrt(1 + 1 / 49))
    assert np.isclose(tt, direct), (tt, direct)
    # 5. variance of a scaled rank and of a cumulated rank (enumeration)
    M = 12
    k = np.arange(1, M + 1) / (M + 1) - .5
    assert np.isclose((k ** 2).mean(), (M - 1) / (12 * (M + 1)))
    acc = [(k[a] + k[b]) ** 2 for a in range(M) for b in range(M) if a != b]
    assert np.isclose(np.mean(acc), 2 * (M - 2) / (12 * (M + 1)))
    # 6. Johnson t: SSC skewt help example (auto.dta price)
    j = johnson_t_from_moments(74, 2.09027474443816, 1.653433511704859)
    assert abs(j - 38.72841) < 5e-6, j
    # 7. Scholes-Williams / Dimson / Fowler-Rorke algebra
    r1 = 0.2
    bm, b0, bp = 0.15, 0.7, 0.1
    simple = [bm + b0 * r1, b0 + r1 * (bm + bp), bp + b0 * r1]   # rho2 = 0
    sw = sum(simple) / (1 + 2 * r1)
    fr = b0 + (1 + r1) / (1 + 2 * r1) * (bm + bp)
    assert np.isclose(sw, fr)
    r2 = 0.1                                   # K = 2, rho_j = 0 for j > 2
    bk = {-2: .05, -1: .15, 0: .7, 1: .1, 2: .04}
    rho = {0: 1.0, 1: r1, 2: r2}
    tot = sum(bk[j] * rho.get(abs(k - j), 0.0) for k in bk for j in bk)
    dn = 1 + 2 * r1 + 2 * r2
    w1, w2 = (1 + 2 * r1 + r2) / dn, (1 + r1 + r2) / dn
    assert np.isclose(tot / dn, bk[0] + w1 * (bk[-1] + bk[1]) + w2 * (bk[-2] + bk[2]))
    # 8. MVRM mean-gamma t == portfolio t with prediction error
    N, L1 = 6, 80
    m = rng.standard_normal(L1 + 1)
    R = rng.standard_normal((L1 + 1, N)) + m[:, None] + rng.standard_normal((L1 + 1, 1))
    evs = [build_event(R[:L1, i], m[:L1], R[L1:, i], m[L1:]) for i in range(N)]
    D = np.zeros(L1 + 1)
    D[-1] = 1
    q = mvrm_tests(R, np.column_stack([np.ones(L1 + 1), m]), D)
    assert np.isclose(q["t"], portfolio_t(evs, [0])["stat"])
    # 9. MacKinlay-style analytic power
    assert abs(power_norm(0.005, 0.02, 50) - 0.4239) < 5e-4
    # 10. SQ with 99 obs: 5th order statistic <=> p <= .05 (one-sided lower)
    e = build_event(rng.standard_normal(99), None, [0.0], None, model="mean")
    srt = np.sort(e["ar_est"])
    e["ar"][0] = srt[4] - 1e-9
    assert sq_test(e, 0, "lower", scaled=False)["p"] <= 0.05
    e["ar"][0] = srt[4] + 1e-9
    assert sq_test(e, 0, "lower", scaled=False)["p"] > 0.05
    print("identities: all passed")


def garch_check(R=40, N=15):
    rng = np.random.default_rng(11)
    hit = {"GARCH-BMP": 0, "GARCH single N(0,1)": 0, "GARCH single rank": 0,
           "plain BMP": 0, "plain single t": 0, "Savickas (5-day dummy)": 0}
    L1, n1 = 250, 0
    t0 = time.time()
    for _ in range(R):
        z, evs, fits = [], [], []
        for i in range(N):
            T = L1 + 5
            m = 0.01 * rng.standard_normal(T)
            h, e = np.empty(T), np.empty(T)
            h[0] = 4e-4
            e[0] = math.sqrt(h[0]) * rng.standard_normal()
            for t in range(1, T):
                h[t] = 2e-5 + 0.15 * e[t - 1] ** 2 + 0.80 * h[t - 1]
                e[t] = math.sqrt(h[t]) * rng.standard_normal()
            r = 0.0003 + m + e
            X = np.column_stack([np.ones(T), m])
            q = garch_single(r[:L1], X[:L1], r[L1], X[L1])
            z.append(q["stat"])
            hit["GARCH single N(0,1)"] += q["p"] <= .05
            hit["GARCH single rank"] += q["p_rank"] <= .05
            ev = build_event(r[:L1], m[:L1], r[L1:L1 + 1], m[L1:L1 + 1])
            hit["plain single t"] += single_t(ev, [0])["p"] <= .05
            n1 += 1
            evs.append(ev)
            D = np.zeros(T)
            D[L1:] = 1
            fits.append(garch_fit(r, X, D=D))
        hit["GARCH-BMP"] += garch_bmp_t(z)["p"] <= .05
        hit["plain BMP"] += bmp_t(evs, [0])["p"] <= .05
        hit["Savickas (5-day dummy)"] += savickas_t(fits, L1)["p"] <= .05
    print("\n== GARCH null (R=%d, N=%d, %.0fs); Monte Carlo se of the R-based rows "
          "= %.1f%%" % (R, N, time.time() - t0, 100 * math.sqrt(.05 * .95 / R)))
    for k in hit:
        d = n1 if "single" in k else R
        print("   %-36s %6.1f%%" % (k, 100.0 * hit[k] / d))


SCENARIOS = [
    # key, title, event days, keyword arguments
    ("S1", "iid normal null, distinct dates", [5], {}),
    ("S2", "same, 11-day CAR", list(range(11)), {}),
    ("S3", "event-induced variance x2, day 0", [5], dict(evt_var=2.0)),
    ("S4", "one common date, residual corr 0.10", [5],
     dict(clustered=True, rho=0.10)),
    ("S5", "one common date, corr 0.10, 11-day CAR", list(range(11)),
     dict(clustered=True, rho=0.10)),
    ("S6", "fat tails t(4), distinct dates", [5], dict(df=4)),
    ("S7", "common date, corr 0.10, variance x2", [5],
     dict(clustered=True, rho=0.10, evt_var=2.0)),
    ("S8", "5% missing returns, distinct dates, 11-day CAR", list(range(11)),
     dict(miss=0.05)),
    ("S9", "common date, only the COMMON shock's variance x4", [5],
     dict(clustered=True, rho=0.10, evt_common=4.0)),
]


def main(argv):
    opt = dict(a[2:].split("=", 1) if "=" in a else (a[2:], "1")
               for a in argv if a.startswith("--"))
    R = int(opt.get("R", 200 if "quick" in opt else 1000))
    only = opt["only"].split(",") if "only" in opt else None
    unit_identities()
    bad = {}
    for j, (key, title, days, kw) in enumerate(SCENARIOS):
        if only and key not in only:
            continue
        res, n = run_scenario(key + " " + title, R, 100 + j, days, **kw)
        if key == "S1":
            tol = 4 * math.sqrt(.05 * .95 / n)
            bad = {k: v for k, v in res.items() if abs(v - .05) > tol}
            print("S1 tolerance +-%.1f%%: %s" % (100 * tol, "OK" if not bad else bad))
    if "garch" in opt:
        garch_check()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
