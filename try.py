import sys, time, traceback, logging
from tests.simulation.clock import simulated_hosts
from tests.simulation.world import simulate
from collections import Counter
first, n = int(sys.argv[1]), int(sys.argv[2])
tot=Counter(); bad=0; ops=ev=0; sec=0
t=time.process_time()
import gc; gc.disable(); gc.collect(); gc.freeze()
with simulated_hosts():
    for s in range(first, first+n):
        if s % 50 == 0: gc.collect()
        trace = [] if '-t' in sys.argv else None
        try:
            r = simulate(s, trace=trace)
        except Exception:
            print("seed", s); traceback.print_exc(); bad+=1
            if bad>5: break
            continue
        if trace is not None: print("\n".join(trace)); print(r.plan)
        if r.violations:
            bad+=1
            if bad<8: print(s, r.violations[:3], r.plan.faults)
        tot+=r.counts; ops+=r.operations; ev+=r.events; sec+=r.seconds
el=time.process_time()-t
print(f"{bad} bad of {n}; {el/n*1000:.2f} ms/seed, ops {ops/n:.1f}, events {ev/n:.0f} {el/ev*1e6:.1f} us/event, virtual {sec/n:.2f}s")
if '-c' in sys.argv:
    for k,v in sorted(tot.items()): print(f"  {k}: {v}")
import atexit, os
sys.stdout.flush(); os._exit(0)
