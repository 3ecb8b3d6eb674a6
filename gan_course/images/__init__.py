"""Where pictures come from; `gan_course.data` is the door to all of it.

`idx` reads the files of MNIST and FashionMNIST, `torchvision_sets` downloads them, `embedded` is the part that
comes with the course. `album` lists and reads a folder or zip of pictures, `decode` turns one of them into a
square, `photographs` all of them, once; `celeba` knows where CelebA lies and its attributes.
"""
