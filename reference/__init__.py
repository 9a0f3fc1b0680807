"""The algorithms of the course *Optimization for Deep Learning*, one file each, by lecture."""
